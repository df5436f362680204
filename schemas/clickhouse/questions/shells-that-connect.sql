-- question: Which shells and interpreters connect somewhere?
-- why: A reverse shell is a shell with a connection; a shell rarely has a good one. What still is open comes first, however long it has been quiet.
-- since: 24h
-- limit: 100
-- param: names Array(String) = sh,bash,dash,zsh,ksh,mksh,tcsh,fish,nc,ncat,netcat,socat,busybox,perl,python,ruby,php,lua,luajit,gawk,tclsh: Names of such programs; without a version they stand for all, python for python3.11, nc for nc.openbsd.
-- param: days UInt16 = 7: Days before the window in which what is still open opened or moved bytes.
-- chart: none
WITH
    -- One row per event of such a program's connection before its end, in those days or in the window.
    opened AS
    (
        SELECT
            host_id, boot_id, kernel_epoch, socket_cookie, generation, host_name, executable, pid, uid, parent_executable,
            peer_address, peer_port, start_ts, ts, duration_us
        FROM tcp_events
        -- The name as it is, and without what follows it: 3.11, 5.36-x86_64-linux-gnu, .openbsd, -static. First, as few rows have one.
        PREWHERE replaceRegexpOne(executable, '^.*/', '') IN {names:Array(String)}
            OR replaceRegexpOne(executable, '^(?:.*/)?([^/]+?)(?:-?[0-9][0-9.]*[a-z]?(?:-[^/]*)?)?(?:\\.[a-z]+|-static)?$', '\\1') IN {names:Array(String)}
        WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')} - toIntervalDay({days:UInt16})) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
            AND ts >= {since:DateTime64(6, 'UTC')} - toIntervalDay({days:UInt16}) AND ts < {until:DateTime64(6, 'UTC')}
            AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
            AND (NOT own OR {own:Bool})
            AND kind IN ('open', 'update') AND role = 'client'
    ),
    -- One row per end of these: by key, as an end may have lost the name.
    ended AS
    (
        SELECT cityHash64(host_id, boot_id, socket_cookie, generation) AS connection, executable
        FROM tcp_events
        WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')} - toIntervalDay({days:UInt16})) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
            AND ts >= {since:DateTime64(6, 'UTC')} - toIntervalDay({days:UInt16}) AND ts < {until:DateTime64(6, 'UTC')}
            AND kind IN ('close', 'fail')
            AND cityHash64(host_id, boot_id, socket_cookie, generation) GLOBAL IN (SELECT cityHash64(host_id, boot_id, socket_cookie, generation) FROM opened)
    ),
    -- One row per connection that no end of that name tells of: the last word on it.
    unended AS
    (
        SELECT
            host_id, boot_id, kernel_epoch, host_name, executable, pid, uid, parent_executable, peer_address, peer_port,
            start_ts, ts, duration_us,
            cityHash64(host_id, boot_id, socket_cookie, generation) GLOBAL NOT IN (SELECT connection FROM ended) AS has_no_end
        FROM opened
        WHERE (cityHash64(host_id, boot_id, socket_cookie, generation), executable) GLOBAL NOT IN (SELECT connection, executable FROM ended)
        ORDER BY ts DESC
        LIMIT 1 BY host_id, boot_id, socket_cookie, generation
    ),
    -- One row per end in the window, where a folded row stands for several, and per connection without one that was told of there or still is open.
    told AS
    (
        SELECT
            host_id, host_name, executable, pid, uid, parent_executable, peer_address, peer_port, start_ts, ts, duration_us,
            connections, false AS is_open
        FROM tcp_events
        PREWHERE replaceRegexpOne(executable, '^.*/', '') IN {names:Array(String)}
            OR replaceRegexpOne(executable, '^(?:.*/)?([^/]+?)(?:-?[0-9][0-9.]*[a-z]?(?:-[^/]*)?)?(?:\\.[a-z]+|-static)?$', '\\1') IN {names:Array(String)}
        WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
            AND ts >= {since:DateTime64(6, 'UTC')} AND ts < {until:DateTime64(6, 'UTC')}
            AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
            AND (NOT own OR {own:Bool})
            AND kind IN ('close', 'fail', 'summary') AND role = 'client'
        UNION ALL
        SELECT
            host_id, host_name, executable, pid, uid, parent_executable, peer_address, peer_port, start_ts, ts, duration_us, 1,
            -- Of the boot that runs at the window's end, and found by the states of it since: as the view connections tells it.
            has_no_end AND (is_now OR boot_vouched_ts >= {until:DateTime64(6, 'UTC')})
                AND (greatest(ts, state_vouched_ts) >= boot_told_ts OR boot_told_ts >= {until:DateTime64(6, 'UTC')}) AS is_open
        FROM unended
        LEFT JOIN boot_states USING (host_id, boot_id, kernel_epoch)
        WHERE ts >= {since:DateTime64(6, 'UTC')} OR is_open
    )
SELECT
    host_name, executable, pid, uid, parent_executable, peer_address, peer_port,
    sum(told.connections) AS connections,
    countIf(is_open) AS without_end,
    min(told.start_ts) AS first_start_ts,
    max(told.ts) AS last_ts,
    max(told.duration_us) AS duration_us_max
FROM told
GROUP BY host_id, host_name, executable, pid, uid, parent_executable, peer_address, peer_port
ORDER BY without_end > 0 DESC, last_ts DESC, host_name, host_id, pid, peer_address, peer_port
LIMIT {limit:UInt32}
