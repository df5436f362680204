-- question: Which peers cannot be reached?
-- why: One dead peer that many hosts miss is one thing to mend.
-- since: 24h
-- limit: 50
-- chart: bars failures
SELECT
    peer_address, service_port,
    sum(edges.failures) AS failures,
    sum(edges.connections) AS connections,
    uniqExact(host_id) AS hosts,
    max(edges.last_ts) AS last_ts
FROM edges
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
    AND role = 'client'
GROUP BY peer_address, service_port
HAVING failures > 0
ORDER BY failures DESC, peer_address, service_port
LIMIT {limit:UInt32}
