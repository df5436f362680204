-- question: Which shells and interpreters connect somewhere?
-- why: A reverse shell is a shell with a connection; a shell rarely has a good one. What still is open comes first, however long it has been quiet.
-- since: 24h
-- limit: 100
-- param: names Array(String) = sh,bash,dash,zsh,ksh,mksh,tcsh,fish,nc,ncat,netcat,socat,busybox,perl,python,ruby,php,lua,luajit,gawk,tclsh: Names of such programs; without a version they stand for all, python for python3.11, nc for nc.openbsd.
-- param: days UInt16 = 7: Days before the window in which what is still open opened or moved bytes.
-- chart: none
WITH
    -- One row per host: the boot it runs.
    booted AS
    (
        SELECT host_id, argMax(batch.boot_id, batch.batch_ts) AS boot_id
        FROM tcp_batches AS batch
        WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')} - toIntervalDay({days:UInt16})) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
            AND batch.batch_ts >= {since:DateTime64(6, 'UTC')} - toIntervalDay({days:UInt16}) AND batch.batch_ts < {until:DateTime64(6, 'UTC')}
        GROUP BY host_id
    ),
    -- One row per connection of such a program in those days or in the window: its end, or the last word on it. A folded row stands for several.
    told AS
    (
        SELECT
            host_id, boot_id, host_name, executable, pid, uid, parent_executable, peer_address, peer_port,
            connections, start_ts, ts, duration_us
        FROM tcp_events
        -- The name as it is, and without what follows it: 3.11, 5.36-x86_64-linux-gnu, .openbsd, -static. First, as few rows have one.
        PREWHERE replaceRegexpOne(executable, '^.*/', '') IN {names:Array(String)}
            OR replaceRegexpOne(executable, '^(?:.*/)?([^/]+?)(?:-?[0-9][0-9.]*[a-z]?(?:-[^/]*)?)?(?:\\.[a-z]+|-static)?$', '\\1') IN {names:Array(String)}
        WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')} - toIntervalDay({days:UInt16})) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
            AND ts >= {since:DateTime64(6, 'UTC')} - toIntervalDay({days:UInt16}) AND ts < {until:DateTime64(6, 'UTC')}
            AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
            AND (NOT own OR {own:Bool})
            AND kind IN ('open', 'update', 'close', 'fail', 'summary') AND role = 'client'
            -- Of the days before, a shorter one never had an open.
            AND (ts >= {since:DateTime64(6, 'UTC')} OR connections = 0 OR duration_us >= 500000 OR counters_since = 'scan')
        ORDER BY connections DESC, ts DESC
        -- An end that was told without storage has no cookie.
        LIMIT 1 BY host_id, boot_id, socket_cookie, generation, if(socket_cookie = 0, (kernel_epoch, cpu, seq), (toDateTime64(0, 6, 'UTC'), 0, 0))
    )
SELECT
    host_name, executable, pid, uid, parent_executable, peer_address, peer_port,
    sum(greatest(told.connections, 1)) AS connections,
    countIf(told.connections = 0) AS without_end,
    min(told.start_ts) AS first_start_ts,
    max(told.ts) AS last_ts,
    max(told.duration_us) AS duration_us_max
FROM told
WHERE ts >= {since:DateTime64(6, 'UTC')}
    OR told.connections = 0 AND (host_id, boot_id) GLOBAL IN (SELECT host_id, boot_id FROM booted)
GROUP BY host_id, host_name, executable, pid, uid, parent_executable, peer_address, peer_port
ORDER BY without_end > 0 DESC, last_ts DESC, host_name, host_id, pid, peer_address, peer_port
LIMIT {limit:UInt32}
