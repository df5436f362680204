-- question: On which hosts do connections have no known owner?
-- why: What has no owner was too short for the agent, older than it, or the kernel's own.
-- since: 1h
-- limit: 50
-- chart: bars percent
SELECT
    host_name,
    sumIf(event.connections, pid = 0 AND kind != 'summary') AS ownerless,
    sum(event.connections) AS connections,
    round(100 * ownerless / connections, 2) AS percent
FROM tcp_events AS event
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND ts >= {since:DateTime64(6, 'UTC')} AND ts < {until:DateTime64(6, 'UTC')}
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
    AND event.connections > 0
GROUP BY host_id, host_name
HAVING ownerless > 0
ORDER BY percent DESC, connections DESC, host_name, host_id
LIMIT {limit:UInt32}
