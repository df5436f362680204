-- question: Which peers fell silent?
-- why: A backup that no longer runs makes no noise: it is the connection that is missing.
-- since: 24h
-- limit: 50
-- param: days UInt16 = 7: Days before the window in which they were there.
-- param: days_min UInt16 = 3: On so many of them at least.
-- chart: bars days_seen
WITH
    -- One row per edge of the days of the window.
    present AS
    (
        SELECT DISTINCT host_id, peer_address, service_port
        FROM edges
        WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
            AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
            AND (NOT own OR {own:Bool})
            AND role = 'client'
    )
SELECT
    host_name, executable, peer_address, service_port,
    uniqExact(day) AS days_seen,
    max(edges.last_ts) AS last_ts,
    sum(edges.connections) AS connections
FROM edges
WHERE day >= toDate({since:DateTime64(6, 'UTC')}) - {days:UInt16} AND day < toDate({since:DateTime64(6, 'UTC')})
    AND role = 'client'
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
    AND (host_id, peer_address, service_port) NOT IN (SELECT host_id, peer_address, service_port FROM present)
GROUP BY host_id, host_name, executable, peer_address, service_port
HAVING days_seen >= {days_min:UInt16}
ORDER BY days_seen DESC, connections DESC, host_name, host_id, executable, peer_address, service_port
LIMIT {limit:UInt32}
