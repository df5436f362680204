-- question: Which users connect to what?
-- why: A service account that reaches a new port, or a person on a server at night.
-- since: 1h
-- limit: 100
-- chart: bars connections
SELECT
    host_name, uid,
    arraySlice(arraySort(groupUniqArray(executable)), 1, 5) AS executables,
    arraySlice(arraySort(groupUniqArray(peer_port)), 1, 10) AS ports,
    sum(event.connections) AS connections,
    uniqExact(peer_address) AS peers,
    sum(event.bytes_sent) AS bytes_sent
FROM tcp_events AS event
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND ts >= {since:DateTime64(6, 'UTC')} AND ts < {until:DateTime64(6, 'UTC')}
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
    AND event.connections > 0 AND role = 'client' AND pid != 0
GROUP BY host_id, host_name, uid
ORDER BY connections DESC, host_name, host_id, uid
LIMIT {limit:UInt32}
