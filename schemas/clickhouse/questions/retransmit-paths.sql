-- question: To which peers is most sent again?
-- why: A rate by peer tells a bad path from a bad host.
-- since: 1h
-- limit: 50
-- param: segments_min UInt64 = 100: Segments below which a rate says nothing.
-- chart: bars percent
SELECT
    host_name, peer_address,
    sum(event.data_segs_out) AS data_segs_out,
    sum(event.total_retrans) AS total_retrans,
    round(100 * total_retrans / data_segs_out, 3) AS percent,
    sum(event.connections) AS connections
FROM tcp_events AS event
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND ts >= {since:DateTime64(6, 'UTC')} AND ts < {until:DateTime64(6, 'UTC')}
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
    AND event.connections > 0
GROUP BY host_id, host_name, peer_address
HAVING data_segs_out >= {segments_min:UInt64} AND total_retrans > 0
ORDER BY percent DESC, data_segs_out DESC, host_name, host_id, peer_address
LIMIT {limit:UInt32}
