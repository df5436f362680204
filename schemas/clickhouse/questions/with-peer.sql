-- question: Which single connections were there with this address?
-- why: From an address to the processes, ports, bytes and ends of each connection, as evidence; open or update where none has an end yet.
-- since: 7d
-- limit: 100
-- param: address IPv6: The address, IPv4 or IPv6.
-- chart: none
WITH
    -- One row per connection that was told of in the window: its end, or the last word on it. A folded row stands for several.
    told AS
    (
        SELECT
            ts, host_name, executable, pid, role, local_address, local_port, peer_port, kind, verdict, connections,
            duration_us, bytes_sent, bytes_received
        FROM tcp_events
        WHERE peer_address = {address:IPv6}
            AND day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
            AND ts >= {since:DateTime64(6, 'UTC')} AND ts < {until:DateTime64(6, 'UTC')}
            AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
            AND (NOT own OR {own:Bool})
            AND kind IN ('open', 'update', 'close', 'fail', 'summary')
        ORDER BY connections DESC, ts DESC
        -- An end that was told without storage has no cookie.
        LIMIT 1 BY host_id, boot_id, socket_cookie, generation, if(socket_cookie = 0, (kernel_epoch, cpu, seq), (toDateTime64(0, 6, 'UTC'), 0, 0))
    )
SELECT
    ts, host_name, executable, pid, role, local_address, local_port, {address:IPv6} AS peer_address, peer_port,
    kind, verdict, greatest(told.connections, 1) AS connections, duration_us, bytes_sent, bytes_received
FROM told
ORDER BY ts DESC, host_name, local_port
LIMIT {limit:UInt32}
