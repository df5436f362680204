-- question: Which programs connect anew instead of keeping a connection?
-- why: Thousands of connections of milliseconds cost handshakes, ports and time that a pool would save.
-- since: 24h
-- limit: 50
-- param: connections_min UInt64 = 100: Connections below which it does not matter.
-- param: duration_us_max UInt64 = 1000000: Mean duration up to which connections count as short. Unit: us.
-- chart: bars connections
SELECT
    host_name, executable, service_port,
    sum(tier.connections) AS connections,
    round(sum(tier.duration_us) / connections) AS duration_us_mean,
    round((sum(tier.bytes_sent) + sum(tier.bytes_received)) / connections) AS bytes_mean
FROM connections_1h AS tier
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND bin >= toStartOfHour({since:DateTime64(6, 'UTC')}) AND bin < {until:DateTime64(6, 'UTC')}
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
    AND role = 'client'
GROUP BY host_id, host_name, executable, service_port
HAVING connections >= {connections_min:UInt64} AND duration_us_mean <= {duration_us_max:UInt64}
ORDER BY connections DESC, host_name, host_id, executable, service_port
LIMIT {limit:UInt32}
