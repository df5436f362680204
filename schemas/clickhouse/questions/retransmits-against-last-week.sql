-- question: On which paths is more sent again than a week ago, hour by hour?
-- why: A rate alone says little; against the same hour a week earlier a network that got worse stands out. Where that hour had too little there is no difference.
-- since: 24h
-- limit: 50
-- param: days UInt16 = 7: Days that the compared hours lie earlier; the window is not longer than that.
-- param: segments_min UInt64 = 1000: Segments an hour below which a rate says nothing.
-- chart: bars percent_more
WITH
    -- One row per hour and path, now and as many days earlier, under the hour of now.
    hours AS
    (
        SELECT
            if(bin >= toStartOfHour({since:DateTime64(6, 'UTC')}), bin, bin + toIntervalDay({days:UInt16})) AS hour,
            host_id, host_name, role, service_port,
            sumIf(tier.data_segs_out, bin >= toStartOfHour({since:DateTime64(6, 'UTC')})) AS data_segs_out,
            sumIf(tier.total_retrans, bin >= toStartOfHour({since:DateTime64(6, 'UTC')})) AS total_retrans,
            sumIf(tier.data_segs_out, bin < toStartOfHour({since:DateTime64(6, 'UTC')})) AS data_segs_out_before,
            sumIf(tier.total_retrans, bin < toStartOfHour({since:DateTime64(6, 'UTC')})) AS total_retrans_before
        FROM connections_1h AS tier
        WHERE (day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
                AND bin >= toStartOfHour({since:DateTime64(6, 'UTC')}) AND bin < toStartOfHour({until:DateTime64(6, 'UTC')})
            OR day BETWEEN toDate({since:DateTime64(6, 'UTC')}) - {days:UInt16} AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1)) - {days:UInt16}
                AND bin >= toStartOfHour({since:DateTime64(6, 'UTC')}) - toIntervalDay({days:UInt16}) AND bin < toStartOfHour({until:DateTime64(6, 'UTC')}) - toIntervalDay({days:UInt16}))
            AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
            AND (NOT own OR {own:Bool})
        GROUP BY hour, host_id, host_name, role, service_port
    )
SELECT
    hour, host_name, role, service_port, data_segs_out,
    round(100 * total_retrans / data_segs_out, 3) AS percent,
    if(data_segs_out_before < greatest({segments_min:UInt64}, 1), NULL, round(100 * total_retrans_before / data_segs_out_before, 3)) AS percent_before,
    round(percent - percent_before, 3) AS percent_more
FROM hours
WHERE data_segs_out >= {segments_min:UInt64}
ORDER BY percent_more DESC, hour, host_name, host_id, role, service_port
LIMIT {limit:UInt32}
