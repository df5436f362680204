-- question: Which programs moved the most bytes?
-- why: Names who fills the network, before anyone decides what to limit.
-- since: 1h
-- limit: 20
-- chart: bars bytes
SELECT
    host_name, executable, role, service_port,
    sum(tier.connections) AS connections,
    sum(tier.bytes_sent) AS bytes_sent,
    sum(tier.bytes_received) AS bytes_received,
    bytes_sent + bytes_received AS bytes
FROM connections_5m AS tier
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND bin >= toStartOfFiveMinutes({since:DateTime64(6, 'UTC')}) AND bin < {until:DateTime64(6, 'UTC')}
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
GROUP BY host_id, host_name, executable, role, service_port
HAVING bytes > 0
ORDER BY bytes DESC, host_name, host_id, executable, role, service_port
LIMIT {limit:UInt32}
