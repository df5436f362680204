-- question: Which programs use the network for the first time?
-- why: A program that never connected before was installed, was dropped, or changed its mind. Sums go on to the end of the window's last day.
-- since: 24h
-- limit: 100
-- chart: bars connections
SELECT
    host_name, executable,
    min(edges.first_ts) AS first_ts,
    sum(edges.connections) AS connections,
    uniqExactIf(peer_address, peer_address != toIPv6('::')) AS peers,
    arraySlice(arraySort(groupUniqArray(service_port)), 1, 5) AS service_ports
FROM edges
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
    AND executable != ''
    AND (host_id, executable) NOT IN
    (
        SELECT host_id, executable
        FROM connections_1h
        WHERE day < toDate({since:DateTime64(6, 'UTC')})
            AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
        GROUP BY host_id, executable
    )
GROUP BY host_id, host_name, executable
HAVING first_ts >= {since:DateTime64(6, 'UTC')} AND first_ts < {until:DateTime64(6, 'UTC')}
ORDER BY connections DESC, first_ts, host_name, host_id, executable
LIMIT {limit:UInt32}
