-- question: Which servers let established connections die unaccepted?
-- why: The client sees a connection, the program never did: an overload that no log of the server tells.
-- since: 24h
-- limit: 50
-- chart: bars unaccepted
SELECT
    host_name, service_port,
    sumIf(tier.connections, verdict = 'unaccepted') AS unaccepted,
    sum(tier.connections) AS connections,
    round(100 * unaccepted / connections, 2) AS percent
FROM connections_1h AS tier
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND bin >= toStartOfHour({since:DateTime64(6, 'UTC')}) AND bin < {until:DateTime64(6, 'UTC')}
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
    AND role = 'server'
GROUP BY host_id, host_name, service_port
HAVING unaccepted > 0
ORDER BY unaccepted DESC, host_name, host_id, service_port
LIMIT {limit:UInt32}
