-- question: Which services are offered that were not offered before?
-- why: A new open port with clients is a deploy, a debug server that was forgotten, or a back door. Sums go on to the end of the window's last day.
-- since: 24h
-- limit: 100
-- chart: bars connections
SELECT
    host_name, service_port, executable,
    min(edges.first_ts) AS first_ts,
    sum(edges.connections) AS connections,
    uniqExact(peer_address) AS clients
FROM edges
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
    AND role = 'server' AND peer_address != toIPv6('::')
    AND (host_id, service_port) NOT IN
    (
        SELECT host_id, service_port
        FROM connections_1h
        WHERE day < toDate({since:DateTime64(6, 'UTC')})
            AND role = 'server'
            AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
        GROUP BY host_id, service_port
    )
GROUP BY host_id, host_name, service_port, executable
HAVING first_ts >= {since:DateTime64(6, 'UTC')} AND first_ts < {until:DateTime64(6, 'UTC')}
ORDER BY connections DESC, first_ts, host_name, host_id, service_port, executable
LIMIT {limit:UInt32}
