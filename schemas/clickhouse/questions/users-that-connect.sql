-- question: Which users connect to what?
-- why: A service account that reaches a new port, or a person on a server at night; what opened or moved bytes in the window and has no end there counts too. Bytes count since the begin of a connection, also of one that lives.
-- since: 1h
-- limit: 100
-- chart: bars connections
WITH
    -- One row: how young a connection may be told of before its end, which depends on the agents' events.openHoldMs.
    youngest AS
    (
        SELECT minOrNull(duration_us) AS told_us
        FROM tcp_events
        WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
            AND ts >= {since:DateTime64(6, 'UTC')} AND ts < {until:DateTime64(6, 'UTC')}
            AND kind IN ('open', 'update') AND counters_since = 'birth'
    ),
    -- One row per connection that ended in the window and may have been told of before.
    ended AS
    (
        SELECT cityHash64(host_id, boot_id, socket_cookie, generation) AS connection
        FROM tcp_events
        WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
            AND ts >= {since:DateTime64(6, 'UTC')} AND ts < {until:DateTime64(6, 'UTC')}
            AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
            AND kind IN ('close', 'fail') AND role = 'client' AND (duration_us >= (SELECT told_us FROM youngest) OR counters_since = 'scan')
    ),
    -- One row per end, and per connection without one: the last word on it. A folded row stands for several.
    told AS
    (
        SELECT host_id, host_name, uid, executable, peer_address, peer_port, connections, bytes_sent
        FROM tcp_events
        WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
            AND ts >= {since:DateTime64(6, 'UTC')} AND ts < {until:DateTime64(6, 'UTC')}
            AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
            AND (NOT own OR {own:Bool})
            -- A folded row of several processes has no pid; they are of one user.
            AND connections > 0 AND role = 'client' AND (pid != 0 OR kind = 'summary')
        UNION ALL
        SELECT host_id, host_name, uid, executable, peer_address, peer_port, 1, bytes_sent
        FROM tcp_events
        WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
            AND ts >= {since:DateTime64(6, 'UTC')} AND ts < {until:DateTime64(6, 'UTC')}
            AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
            AND (NOT own OR {own:Bool})
            AND kind IN ('open', 'update') AND role = 'client' AND pid != 0
            AND cityHash64(host_id, boot_id, socket_cookie, generation) GLOBAL NOT IN (SELECT connection FROM ended)
        ORDER BY ts DESC
        LIMIT 1 BY host_id, boot_id, socket_cookie, generation
    )
SELECT
    host_name, uid,
    arraySlice(arraySort(groupUniqArray(executable)), 1, 5) AS executables,
    arraySlice(arraySort(groupUniqArray(peer_port)), 1, 10) AS ports,
    sum(told.connections) AS connections,
    uniqExact(peer_address) AS peers,
    sum(told.bytes_sent) AS bytes_sent
FROM told
GROUP BY host_id, host_name, uid
ORDER BY connections DESC, host_name, host_id, uid
LIMIT {limit:UInt32}
