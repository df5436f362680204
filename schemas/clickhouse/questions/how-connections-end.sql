-- question: How do connections end?
-- why: The share of clean ends is the health of a fleet in one number.
-- since: 24h
-- limit: 50
-- chart: bars connections
SELECT
    verdict,
    sum(tier.connections) AS connections,
    round(100 * connections / sum(connections) OVER (), 2) AS percent,
    round(sum(tier.duration_us) / connections) AS duration_us_mean
FROM connections_1h AS tier
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND bin >= toStartOfHour({since:DateTime64(6, 'UTC')}) AND bin < {until:DateTime64(6, 'UTC')}
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
GROUP BY verdict
HAVING connections > 0
ORDER BY connections DESC, verdict
LIMIT {limit:UInt32}
