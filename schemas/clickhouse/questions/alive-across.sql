-- question: Which connections lived through this window, as through a deploy?
-- why: What was connected before a deploy and still is after it may hold on to the old side.
-- since: 5m
-- limit: 100
-- param: hours UInt16 = 6: Hours before the window in which it opened or moved bytes, or after it in which it did or ended.
-- chart: bars connections
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
    -- One row per connection that ended in those hours before the window or in it and may have been told of before.
    ended AS
    (
        SELECT cityHash64(host_id, boot_id, socket_cookie, generation) AS connection
        FROM tcp_events
        WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')} - toIntervalHour({hours:UInt16})) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
            AND ts >= {since:DateTime64(6, 'UTC')} - toIntervalHour({hours:UInt16}) AND ts < {until:DateTime64(6, 'UTC')}
            AND kind IN ('close', 'fail') AND (duration_us >= (SELECT told_us FROM youngest) OR counters_since = 'scan')
            AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    ),
    -- One row per connection that is older than the window and was told of after it, or before it without an end: the last word.
    alive AS
    (
        SELECT
            host_id, host_name, executable, role, peer_address, start_ts, kind, ts,
            if(role = 'client', peer_port, local_port) AS service_port
        FROM tcp_events
        WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')} - toIntervalHour({hours:UInt16})) AND toDate({until:DateTime64(6, 'UTC')} + toIntervalHour({hours:UInt16}))
            AND ts >= {since:DateTime64(6, 'UTC')} - toIntervalHour({hours:UInt16}) AND ts < {until:DateTime64(6, 'UTC')} + toIntervalHour({hours:UInt16})
            AND start_ts < {since:DateTime64(6, 'UTC')} AND socket_cookie != 0
            AND (ts >= {until:DateTime64(6, 'UTC')} AND kind IN ('open', 'update', 'close')
                OR ts < {since:DateTime64(6, 'UTC')} AND kind IN ('open', 'update')
                    AND cityHash64(host_id, boot_id, socket_cookie, generation) GLOBAL NOT IN (SELECT connection FROM ended))
            AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
            AND (NOT own OR {own:Bool})
        ORDER BY ts DESC
        LIMIT 1 BY host_id, boot_id, socket_cookie, generation
    )
SELECT
    host_name, executable, role, peer_address, service_port,
    count() AS connections,
    countIf(kind != 'close') AS without_end,
    min(alive.start_ts) AS oldest_start_ts,
    max(alive.ts) AS last_ts
FROM alive
GROUP BY host_id, host_name, executable, role, peer_address, service_port
ORDER BY connections DESC, oldest_start_ts, host_name, host_id, executable, role, peer_address, service_port
LIMIT {limit:UInt32}
