-- question: Who is about to run out of local ports towards one service?
-- why: A host has some 28,000 local ports towards one address and port; open connections hold one each, those of closed ones rest a minute.
-- since: 5m
-- limit: 20
-- param: ports_min UInt64 = 1000: Local ports from which a row is told.
-- param: hours UInt16 = 6: Hours before the window in which what is still open opened or moved bytes.
-- chart: bars local_ports
WITH
    -- One row per host: the boot it runs.
    booted AS
    (
        SELECT host_id, argMax(batch.boot_id, batch.batch_ts) AS boot_id
        FROM tcp_batches AS batch
        WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')} - toIntervalHour({hours:UInt16})) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
            AND batch.batch_ts >= {since:DateTime64(6, 'UTC')} - toIntervalHour({hours:UInt16}) AND batch.batch_ts < {until:DateTime64(6, 'UTC')}
        GROUP BY host_id
    ),
    -- One row per connection that ended in those hours or in the window; those below half a second had an open only where they are older than the agent.
    ended AS
    (
        SELECT cityHash64(host_id, boot_id, socket_cookie, generation) AS connection
        FROM tcp_events
        WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')} - toIntervalHour({hours:UInt16})) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
            AND ts >= {since:DateTime64(6, 'UTC')} - toIntervalHour({hours:UInt16}) AND ts < {until:DateTime64(6, 'UTC')}
            AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
            AND kind IN ('close', 'fail') AND role = 'client' AND (duration_us >= 500000 OR counters_since = 'scan')
    ),
    -- One row per end in the window, and per event of what has no end. A folded row stands for several, whose ports were not kept.
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
        FROM tcp_events
        WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')} - toIntervalHour({hours:UInt16})) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
            AND ts >= {since:DateTime64(6, 'UTC')} - toIntervalHour({hours:UInt16}) AND ts < {until:DateTime64(6, 'UTC')}
            AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
            AND (NOT own OR {own:Bool})
            AND kind IN ('open', 'update') AND role = 'client'
            AND (host_id, boot_id) GLOBAL IN (SELECT host_id, boot_id FROM booted)
            AND cityHash64(host_id, boot_id, socket_cookie, generation) GLOBAL NOT IN (SELECT connection FROM ended)
    )
SELECT
    host_name, local_address, peer_address, peer_port,
    uniqExactIf(local_port, local_port != 0) + folded AS local_ports,
    uniqExactIf(local_port, held.connections = 0) AS still_open,
    sumIf(held.connections, kind = 'summary') AS folded,
    sum(held.connections) AS connections,
    countIf(verdict = 'addr_not_avail') AS without_port
FROM held
GROUP BY host_id, host_name, local_address, peer_address, peer_port
HAVING local_ports >= {ports_min:UInt64} OR without_port > 0
ORDER BY local_ports DESC, without_port DESC, host_name, host_id, local_address, peer_address, peer_port
LIMIT {limit:UInt32}
