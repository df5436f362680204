-- question: Who is about to run out of local ports towards one service?
-- why: A host has some 28,000 local ports towards one address and port; open connections hold one each, those of closed ones rest a minute. Folded connections kept no port: they are told beside those known, and do not count as ports.
-- since: 5m
-- limit: 20
-- param: ports_min UInt64 = 1000: Known local ports from which a row is told.
-- param: hours UInt16 = 6: Hours before the window in which what is still open opened or moved bytes.
-- chart: bars local_ports
WITH
    -- One row: how young a connection may be told of before its end, which depends on the agents' events.openHoldMs.
    youngest AS
    (
        SELECT minOrNull(duration_us) AS told_us
        FROM tcp_events
        WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')} - toIntervalHour({hours:UInt16})) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
            AND ts >= {since:DateTime64(6, 'UTC')} - toIntervalHour({hours:UInt16}) AND ts < {until:DateTime64(6, 'UTC')}
            AND kind IN ('open', 'update') AND counters_since = 'birth'
    ),
    -- One row per connection that ended in those hours or in the window and may have been told of before.
    ended AS
    (
        SELECT cityHash64(host_id, boot_id, socket_cookie, generation) AS connection
        FROM tcp_events
        WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')} - toIntervalHour({hours:UInt16})) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
            AND ts >= {since:DateTime64(6, 'UTC')} - toIntervalHour({hours:UInt16}) AND ts < {until:DateTime64(6, 'UTC')}
            AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
            AND kind IN ('close', 'fail') AND role = 'client' AND (duration_us >= (SELECT told_us FROM youngest) OR counters_since = 'scan')
    ),
    -- One row per connection without an end: the last word on it.
    unended AS
    (
        SELECT
            host_id, boot_id, kernel_epoch, host_name, local_address, peer_address, peer_port, local_port, connections, kind,
            verdict, ts
        FROM tcp_events
        WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')} - toIntervalHour({hours:UInt16})) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
            AND ts >= {since:DateTime64(6, 'UTC')} - toIntervalHour({hours:UInt16}) AND ts < {until:DateTime64(6, 'UTC')}
            AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
            AND (NOT own OR {own:Bool})
            AND kind IN ('open', 'update') AND role = 'client'
            AND cityHash64(host_id, boot_id, socket_cookie, generation) GLOBAL NOT IN (SELECT connection FROM ended)
        ORDER BY ts DESC
        LIMIT 1 BY host_id, boot_id, socket_cookie, generation
    ),
    -- One row per end in the window, and per connection that is open. A folded row stands for several, whose ports were not kept.
    held AS
    (
        SELECT host_id, host_name, local_address, peer_address, peer_port, local_port, connections, kind, verdict
        FROM tcp_events
        WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
            AND ts >= {since:DateTime64(6, 'UTC')} AND ts < {until:DateTime64(6, 'UTC')}
            AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
            AND (NOT own OR {own:Bool})
            AND connections > 0 AND role = 'client'
        UNION ALL
        SELECT host_id, host_name, local_address, peer_address, peer_port, local_port, connections, kind, verdict
        FROM unended
        LEFT JOIN boot_states USING (host_id, boot_id, kernel_epoch)
        -- Of the boot that runs at the window's end, and found by the states of it since: as the view connections tells it.
        WHERE (is_now OR boot_vouched_ts >= {until:DateTime64(6, 'UTC')})
            AND (greatest(ts, state_vouched_ts) >= boot_told_ts OR boot_told_ts >= {until:DateTime64(6, 'UTC')})
    )
SELECT
    host_name, local_address, peer_address, peer_port,
    uniqExactIf(local_port, local_port != 0) AS local_ports,
    uniqExactIf(local_port, held.connections = 0) AS still_open,
    sumIf(held.connections, kind = 'summary') AS folded,
    sum(held.connections) AS connections,
    countIf(verdict = 'addr_not_avail') AS without_port
FROM held
GROUP BY host_id, host_name, local_address, peer_address, peer_port
HAVING local_ports >= {ports_min:UInt64} OR without_port > 0
ORDER BY local_ports DESC, without_port DESC, host_name, host_id, local_address, peer_address, peer_port
LIMIT {limit:UInt32}
