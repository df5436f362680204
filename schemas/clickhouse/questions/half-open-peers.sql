-- question: Who leaves handshakes unfinished?
-- why: After a flood is seen, whether it comes from a few addresses or from forged ones.
-- since: 1h
-- limit: 50
-- chart: bars reports
SELECT
    peer_address, host_name, local_port,
    count() AS reports,
    sum(event.attempts) AS attempts,
    min(event.ts) AS first_ts,
    max(event.ts) AS last_ts
FROM tcp_events AS event
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND ts >= {since:DateTime64(6, 'UTC')} AND ts < {until:DateTime64(6, 'UTC')}
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
    AND kind = 'half_open'
GROUP BY peer_address, host_id, host_name, local_port
ORDER BY reports DESC, attempts DESC, peer_address, host_name, host_id, local_port
LIMIT {limit:UInt32}
