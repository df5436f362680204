-- question: Which single connections were there with this address?
-- why: From an address to the processes, ports, bytes and ends of each connection, as evidence; open or update where none has an end yet.
-- since: 7d
-- limit: 100
-- param: address IPv6: The address, IPv4 or IPv6.
-- chart: none
WITH
    -- One row: how young a connection may be told of before its end, which depends on the agents' events.openHoldMs.
    youngest AS
    (
        SELECT minOrNull(duration_us) AS told_us
        FROM tcp_events
        WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
            AND ts >= {since:DateTime64(6, 'UTC')} AND ts < {until:DateTime64(6, 'UTC')}
            AND peer_address = {address:IPv6}
            AND kind IN ('open', 'update') AND counters_since = 'birth'
    ),
    -- One row per connection with it that ended in the window and may have been told of before.
    ended AS
    (
        SELECT cityHash64(host_id, boot_id, socket_cookie, generation) AS connection
        FROM tcp_events
        WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
            AND ts >= {since:DateTime64(6, 'UTC')} AND ts < {until:DateTime64(6, 'UTC')}
            AND peer_address = {address:IPv6}
            AND kind IN ('close', 'fail') AND (duration_us >= (SELECT told_us FROM youngest) OR counters_since = 'scan')
    ),
    -- One row per end, the newest, and per connection without one: the last word on it. A folded row stands for several.
    told AS
    (
        SELECT
            ts, host_name, executable, pid, role, local_address, local_port, peer_port, kind, verdict, connections,
            duration_us, bytes_sent, bytes_received
        FROM tcp_events
        WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
            AND ts >= {since:DateTime64(6, 'UTC')} AND ts < {until:DateTime64(6, 'UTC')}
            AND peer_address = {address:IPv6}
            AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
            AND (NOT own OR {own:Bool})
            AND kind IN ('close', 'fail', 'summary')
        ORDER BY ts DESC, host_name, local_port
        LIMIT {limit:UInt32}
        UNION ALL
        SELECT
            ts, host_name, executable, pid, role, local_address, local_port, peer_port, kind, verdict, connections,
            duration_us, bytes_sent, bytes_received
        FROM tcp_events
        WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
            AND ts >= {since:DateTime64(6, 'UTC')} AND ts < {until:DateTime64(6, 'UTC')}
            AND peer_address = {address:IPv6}
            AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
            AND (NOT own OR {own:Bool})
            AND kind IN ('open', 'update')
            AND cityHash64(host_id, boot_id, socket_cookie, generation) GLOBAL NOT IN (SELECT connection FROM ended)
        ORDER BY ts DESC
        LIMIT 1 BY host_id, boot_id, socket_cookie, generation
    )
SELECT
    ts, host_name, executable, pid, role, local_address, local_port, {address:IPv6} AS peer_address, peer_port,
    kind, verdict, greatest(told.connections, 1) AS connections, duration_us, bytes_sent, bytes_received
FROM told
ORDER BY ts DESC, host_name, local_port
LIMIT {limit:UInt32}
