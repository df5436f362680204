-- question: Which services do hosts offer, and how many clients use them?
-- why: The servers of the fleet as they are used, not as they are written down.
-- since: 24h
-- limit: 100
-- chart: bars connections
SELECT
    host_name, service_port, executable,
    sum(tier.connections) AS connections,
    uniqCombinedMerge(12)(tier.peers) AS clients,
    sum(tier.bytes_sent) AS bytes_sent,
    sum(tier.bytes_received) AS bytes_received
FROM connections_1h AS tier
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND bin >= toStartOfHour({since:DateTime64(6, 'UTC')}) AND bin < {until:DateTime64(6, 'UTC')}
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
    AND role = 'server'
GROUP BY host_id, host_name, service_port, executable
HAVING connections > 0
ORDER BY connections DESC, host_name, host_id, service_port, executable
LIMIT {limit:UInt32}
