-- question: How long is the round trip to each service?
-- why: Tells a far service from a slow one: this is the path and both kernels, without the programs. A figure is the end of a bucket that begins at half of it.
-- since: 24h
-- limit: 50
-- param: samples_min UInt64 = 10: Connections below which quantiles say nothing.
-- chart: bars rtt_us_p95_at_most
WITH
    -- One row per service: its connections by round trip, each bucket twice as wide as the one before.
    services AS
    (
        SELECT
            role, service_port,
            sumForEach(tier.rtt_histogram) AS histogram,
            arrayCumSum(histogram) AS up_to,
            arraySum(histogram) AS samples
        FROM connections_1h AS tier
        WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
            AND bin >= toStartOfHour({since:DateTime64(6, 'UTC')}) AND bin < {until:DateTime64(6, 'UTC')}
            AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
            AND (NOT own OR {own:Bool})
        GROUP BY role, service_port
    )
SELECT
    role, service_port, samples,
    toUInt64(exp2(arrayFirstIndex(n -> n >= 0.5 * samples, up_to))) - 1 AS rtt_us_p50_at_most,
    toUInt64(exp2(arrayFirstIndex(n -> n >= 0.95 * samples, up_to))) - 1 AS rtt_us_p95_at_most,
    toUInt64(exp2(arrayFirstIndex(n -> n >= 0.99 * samples, up_to))) - 1 AS rtt_us_p99_at_most
FROM services
WHERE samples >= {samples_min:UInt64}
ORDER BY rtt_us_p95_at_most DESC, samples DESC, role, service_port
LIMIT {limit:UInt32}
