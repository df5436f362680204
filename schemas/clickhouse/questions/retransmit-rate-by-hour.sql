-- question: How does the share of segments sent again go, by role and hour?
-- why: Loss that comes with the load of the day is a queue; loss at all hours is a wire.
-- since: 7d
-- limit: 1000
-- chart: line percent over bin by role
SELECT
    bin, role,
    sum(tier.data_segs_out) AS data_segs_out,
    sum(tier.total_retrans) AS total_retrans,
    round(100 * total_retrans / data_segs_out, 3) AS percent
FROM connections_1h AS tier
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND bin >= toStartOfHour({since:DateTime64(6, 'UTC')}) AND bin < {until:DateTime64(6, 'UTC')}
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
GROUP BY bin, role
HAVING data_segs_out > 0
ORDER BY bin DESC, role
LIMIT {limit:UInt32}
