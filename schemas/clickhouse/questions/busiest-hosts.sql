-- question: Which hosts have the most connections?
-- why: Where load sits, and which host differs from its like.
-- since: 24h
-- limit: 50
-- chart: bars connections
SELECT
    host_name,
    sum(tier.connections) AS connections,
    sumIf(tier.connections, role = 'client') AS as_client,
    sumIf(tier.connections, role = 'server') AS as_server,
    sum(tier.failures) AS failures,
    sum(tier.bytes_sent) AS bytes_sent,
    sum(tier.bytes_received) AS bytes_received
FROM connections_1h AS tier
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND bin >= toStartOfHour({since:DateTime64(6, 'UTC')}) AND bin < {until:DateTime64(6, 'UTC')}
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
GROUP BY host_id, host_name
ORDER BY connections DESC, host_name, host_id
LIMIT {limit:UInt32}
