-- question: Which connections sent and never got a byte back?
-- why: Established and silent is a filter in the middle, a dead program, or data that only goes out.
-- since: 24h
-- limit: 50
-- chart: bars connections
SELECT
    host_name, executable, peer_address, peer_port,
    sum(event.connections) AS connections,
    sum(event.bytes_sent) AS bytes_sent,
    max(event.ts) AS last_ts
FROM tcp_events AS event
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND ts >= {since:DateTime64(6, 'UTC')} AND ts < {until:DateTime64(6, 'UTC')}
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
    AND event.connections > 0 AND role = 'client' AND event.bytes_received = 0 AND event.bytes_sent > 0
GROUP BY host_id, host_name, executable, peer_address, peer_port
ORDER BY connections DESC, bytes_sent DESC, host_name, host_id, executable, peer_address, peer_port
LIMIT {limit:UInt32}
