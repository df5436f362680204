-- question: Who sends most to addresses outside?
-- why: Data that leaves by theft or by mistake leaves in bytes sent to a public address.
-- since: 24h
-- limit: 50
-- param: networks Array(String) = 10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,169.254.0.0/16,127.0.0.0/8,100.64.0.0/10,fc00::/7,fe80::/10,::1/128: What is inside.
-- chart: bars bytes_sent
WITH
    -- One row per program and peer.
    peers AS
    (
        SELECT
            host_id, host_name, executable, peer_address, service_port,
            replaceRegexpOne(toString(peer_address), '^::ffff:(\\d+\\.)', '\\1') AS peer,
            sum(edges.connections) AS connections,
            sum(edges.bytes_sent) AS bytes_sent,
            sum(edges.bytes_received) AS bytes_received
        FROM edges
        WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
            AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
            AND (NOT own OR {own:Bool})
            AND role = 'client' AND edges.bytes_sent > 0
        GROUP BY host_id, host_name, executable, peer_address, service_port
    )
SELECT host_name, executable, peer_address, service_port, connections, bytes_sent, bytes_received
FROM peers
WHERE NOT arrayExists(network -> isIPAddressInRange(peer, network), {networks:Array(String)})
ORDER BY bytes_sent DESC, host_name, host_id, executable, peer_address, service_port
LIMIT {limit:UInt32}
