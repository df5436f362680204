-- question: Which single connections were there with this address?
-- why: From an address to the processes, ports, bytes and ends of each connection, as evidence.
-- since: 7d
-- limit: 100
-- param: address IPv6: The address, IPv4 or IPv6.
-- chart: none
SELECT
    ts, host_name, executable, pid, role, local_address, local_port, peer_address, peer_port,
    kind, verdict, event.connections, duration_us, bytes_sent, bytes_received
FROM tcp_events AS event
WHERE peer_address = {address:IPv6}
    AND day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND ts >= {since:DateTime64(6, 'UTC')} AND ts < {until:DateTime64(6, 'UTC')}
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
    AND event.connections > 0
ORDER BY ts DESC, host_name, local_port
LIMIT {limit:UInt32}
