-- question: On which services do connections end in a reset?
-- why: A reset loses what was still under way; sent ones are ours to mend, received ones the peer's.
-- since: 24h
-- limit: 50
-- param: connections_min UInt64 = 20: Connections below which a share says nothing.
-- chart: bars percent
SELECT
    host_name, executable, role, service_port,
    sumIf(tier.connections, verdict = 'reset_sent') AS reset_sent,
    sumIf(tier.connections, verdict = 'reset_received') AS reset_received,
    sum(tier.connections) AS connections,
    round(100 * (reset_sent + reset_received) / connections, 2) AS percent
FROM connections_1h AS tier
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND bin >= toStartOfHour({since:DateTime64(6, 'UTC')}) AND bin < {until:DateTime64(6, 'UTC')}
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
GROUP BY host_id, host_name, executable, role, service_port
HAVING reset_sent + reset_received > 0 AND connections >= {connections_min:UInt64}
ORDER BY percent DESC, connections DESC, host_name, host_id, executable, role, service_port
LIMIT {limit:UInt32}
