-- question: Who talked to this address, ever?
-- why: The first question after an address turned out to be bad: which hosts and programs met it, and since when.
-- since: 400d
-- limit: 100
-- param: address IPv6: The address, IPv4 or IPv6.
-- chart: bars connections
SELECT
    host_name, executable, role, service_port,
    min(edges.first_ts) AS first_ts,
    max(edges.last_ts) AS last_ts,
    sum(edges.connections) AS connections,
    sum(edges.failures) AS failures,
    sum(edges.bytes_sent) AS bytes_sent,
    sum(edges.bytes_received) AS bytes_received
FROM edges
WHERE peer_address = {address:IPv6}
    AND day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
GROUP BY host_id, host_name, executable, role, service_port
ORDER BY first_ts, host_name, host_id, executable, role, service_port
LIMIT {limit:UInt32}
