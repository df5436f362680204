-- question: Which services fail their callers most often?
-- why: A share of failures by caller and port points at the broken dependency.
-- since: 1h
-- limit: 50
-- param: connections_min UInt64 = 20: Attempts below which a share says nothing.
-- chart: bars percent_failed
SELECT
    host_name, executable, service_port,
    sum(tier.connections) AS connections,
    sum(tier.failures) AS failures,
    round(100 * failures / connections, 2) AS percent_failed
FROM connections_5m AS tier
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND bin >= toStartOfFiveMinutes({since:DateTime64(6, 'UTC')}) AND bin < {until:DateTime64(6, 'UTC')}
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
    AND role = 'client'
GROUP BY host_id, host_name, executable, service_port
HAVING failures > 0 AND connections >= {connections_min:UInt64}
ORDER BY percent_failed DESC, failures DESC, host_name, host_id, executable, service_port
LIMIT {limit:UInt32}
