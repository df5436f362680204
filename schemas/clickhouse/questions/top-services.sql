-- question: Which services are used most?
-- why: What the fleet depends on, by port and by how many programs call it.
-- since: 24h
-- limit: 50
-- chart: bars connections
SELECT
    service_port,
    sum(tier.connections) AS connections,
    sum(tier.failures) AS failures,
    uniqExact(host_id) AS hosts,
    uniqExact(executable) AS executables,
    uniqCombinedMerge(12)(tier.peers) AS peers,
    sum(tier.bytes_sent + tier.bytes_received) AS bytes
FROM connections_1h AS tier
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND bin >= toStartOfHour({since:DateTime64(6, 'UTC')}) AND bin < {until:DateTime64(6, 'UTC')}
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
    AND role = 'client'
GROUP BY service_port
HAVING connections > 0
ORDER BY connections DESC, service_port
LIMIT {limit:UInt32}
