-- question: Which listeners drop connections or fill their queue?
-- why: A full accept queue is a server too slow to take what its clients already have.
-- since: 24h
-- limit: 50
-- chart: bars drops
WITH
    -- One row per listener: how far its counter of drops went, and how full its queue was.
    listeners_seen AS
    (
        SELECT
            host_id, host_name, executable, local_address, local_port,
            max(event.listen_drops) - min(event.listen_drops) AS drops,
            max(event.accept_queue) AS accept_queue_most,
            max(event.accept_queue_max) AS accept_queue_max
        FROM tcp_events AS event
        WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
            AND ts >= {since:DateTime64(6, 'UTC')} AND ts < {until:DateTime64(6, 'UTC')}
            AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
            AND (NOT own OR {own:Bool})
            AND kind IN ('listen', 'unlisten', 'listener')
        GROUP BY host_id, host_name, boot_id, executable, local_address, local_port, network_namespace, socket_cookie
    )
SELECT
    host_name, executable, local_address, local_port,
    sum(listeners_seen.drops) AS drops,
    max(listeners_seen.accept_queue_most) AS accept_queue_most,
    max(listeners_seen.accept_queue_max) AS accept_queue_max
FROM listeners_seen
GROUP BY host_id, host_name, executable, local_address, local_port
-- A backlog of 0 is none to fill until one waits.
HAVING drops > 0 OR accept_queue_most > 0 AND accept_queue_most >= accept_queue_max
ORDER BY drops DESC, accept_queue_most DESC, host_name, host_id, local_port, local_address, executable
LIMIT {limit:UInt32}
