-- question: Who is about to run out of local ports towards one service?
-- why: A host has some 28,000 local ports towards one address and port; those of closed connections rest a minute.
-- since: 5m
-- limit: 20
-- param: ports_min UInt64 = 1000: Local ports from which a row is told.
-- chart: bars local_ports
SELECT
    host_name, local_address, peer_address, peer_port,
    uniqExact(local_port) AS local_ports,
    sum(event.connections) AS connections,
    countIf(verdict = 'addr_not_avail') AS without_port
FROM tcp_events AS event
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND ts >= {since:DateTime64(6, 'UTC')} AND ts < {until:DateTime64(6, 'UTC')}
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
    AND event.connections > 0 AND role = 'client'
GROUP BY host_id, host_name, local_address, peer_address, peer_port
HAVING local_ports >= {ports_min:UInt64} OR without_port > 0
ORDER BY local_ports DESC, without_port DESC, host_name, host_id, local_address, peer_address, peer_port
LIMIT {limit:UInt32}
