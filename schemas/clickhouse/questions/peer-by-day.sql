-- question: How much do we talk to this address, day by day?
-- why: Whether a peer is new, steady, or comes back.
-- since: 90d
-- limit: 400
-- param: address IPv6: The address, IPv4 or IPv6.
-- chart: line connections, bytes over day
SELECT
    day,
    sum(edges.connections) AS connections,
    sum(edges.failures) AS failures,
    sum(edges.bytes_sent + edges.bytes_received) AS bytes,
    uniqExact(host_id) AS hosts
FROM edges
WHERE peer_address = {address:IPv6}
    AND day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
GROUP BY day
ORDER BY day DESC
LIMIT {limit:UInt32}
