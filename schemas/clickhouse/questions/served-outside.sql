-- question: Which services do addresses outside reach?
-- why: What the internet can connect to, as it does and not as the firewall says.
-- since: 24h
-- limit: 50
-- param: networks Array(String) = 10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,169.254.0.0/16,127.0.0.0/8,100.64.0.0/10,fc00::/7,fe80::/10,::1/128: What is inside.
-- chart: bars clients
WITH
    -- One row per service and client.
    served AS
    (
        SELECT
            host_id, host_name, executable, service_port, peer_address,
            replaceRegexpOne(toString(peer_address), '^::ffff:(\\d+\\.)', '\\1') AS peer,
            sum(edges.connections) AS connections,
            sum(edges.bytes_sent) AS bytes_sent
        FROM edges
        WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
            AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
            AND (NOT own OR {own:Bool})
            AND role = 'server' AND peer_address != toIPv6('::')
        GROUP BY host_id, host_name, executable, service_port, peer_address
    )
SELECT
    host_name, executable, service_port,
    uniqExact(peer_address) AS clients,
    sum(served.connections) AS connections,
    sum(served.bytes_sent) AS bytes_sent
FROM served
WHERE NOT arrayExists(network -> isIPAddressInRange(peer, network), {networks:Array(String)})
GROUP BY host_id, host_name, executable, service_port
ORDER BY clients DESC, connections DESC, host_name, host_id, service_port, executable
LIMIT {limit:UInt32}
