-- question: Who talked to this network, ever?
-- why: As who-talked-to, for a whole range that turned out to be bad or is to be moved.
-- since: 400d
-- limit: 100
-- param: network String: The network, as 10.0.0.0/8 or 2001:db8::/32.
-- chart: bars connections
WITH
    splitByChar('/', {network:String})[1] AS prefix,
    toUInt8(splitByChar('/', {network:String})[2]) + if(position(prefix, ':') = 0, 96, 0) AS bits
SELECT
    host_name, executable, role, service_port,
    uniqExact(peer_address) AS peers,
    min(edges.first_ts) AS first_ts,
    max(edges.last_ts) AS last_ts,
    sum(edges.connections) AS connections,
    sum(edges.bytes_sent) AS bytes_sent,
    sum(edges.bytes_received) AS bytes_received
FROM edges
WHERE peer_address BETWEEN IPv6CIDRToRange(toIPv6(prefix), toUInt8(bits)).1 AND IPv6CIDRToRange(toIPv6(prefix), toUInt8(bits)).2
    AND day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
GROUP BY host_id, host_name, executable, role, service_port
ORDER BY first_ts, host_name, host_id, executable, role, service_port
LIMIT {limit:UInt32}
