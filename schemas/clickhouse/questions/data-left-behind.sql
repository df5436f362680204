-- question: Which connections ended with data unread or unsent?
-- why: Bytes that one side wrote and the other never took are work that was lost.
-- since: 24h
-- limit: 50
-- chart: bars bytes_left
SELECT
    host_name, executable, role, verdict,
    if(role = 'client', peer_port, local_port) AS service_port,
    sum(event.connections) AS connections,
    sum(event.bytes_unread) AS bytes_unread,
    sum(event.bytes_unsent) AS bytes_unsent,
    bytes_unread + bytes_unsent AS bytes_left
FROM tcp_events AS event
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND ts >= {since:DateTime64(6, 'UTC')} AND ts < {until:DateTime64(6, 'UTC')}
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
    AND kind = 'close' AND (event.bytes_unread > 0 OR event.bytes_unsent > 0)
GROUP BY host_id, host_name, executable, role, verdict, service_port
ORDER BY bytes_left DESC, host_name, host_id, executable, role, verdict, service_port
LIMIT {limit:UInt32}
