-- question: Why are segments sent again?
-- why: Timeouts hurt, fast recovery hardly does, and a SYN sent again is a peer that does not answer.
-- since: 24h
-- limit: 50
-- chart: bars segments
WITH
    -- One row: the sums by cause of all connections that ended.
    sums AS
    (
        SELECT
            [sum(retrans_syn), sum(retrans_syn_ack), sum(retrans_rto), sum(retrans_loss_recovery), sum(retrans_fast),
                sum(retrans_tail_loss_probe), sum(retrans_other), sum(retrans_failed)] AS segments_by_cause
        FROM tcp_events
        WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
            AND ts >= {since:DateTime64(6, 'UTC')} AND ts < {until:DateTime64(6, 'UTC')}
            AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
            AND (NOT own OR {own:Bool})
            AND kind IN ('close', 'fail') AND (total_retrans > 0 OR retrans_syn_ack > 0 OR retrans_failed > 0)
    )
SELECT
    each.1 AS cause,
    each.2 AS segments,
    round(100 * segments / sum(segments) OVER (), 2) AS percent
FROM sums
ARRAY JOIN arrayZip(
    ['syn', 'syn_ack', 'rto', 'loss_recovery', 'fast', 'tail_loss_probe', 'other', 'failed_here'],
    segments_by_cause) AS each
WHERE segments > 0
ORDER BY segments DESC, cause
LIMIT {limit:UInt32}
