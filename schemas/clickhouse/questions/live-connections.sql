-- question: Which connections are open, the oldest first?
-- why: What holds a port, a tunnel or a session; those that opened or moved bytes in the window, while the view connections has the quiet ones too.
-- since: 6h
-- limit: 100
-- chart: none
WITH
    -- One row per host: the boot it runs.
    booted AS
    (
        SELECT host_id, argMax(batch.boot_id, batch.batch_ts) AS boot_id
        FROM tcp_batches AS batch
        WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
            AND batch.batch_ts >= {since:DateTime64(6, 'UTC')} AND batch.batch_ts < {until:DateTime64(6, 'UTC')}
        GROUP BY host_id
    ),
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
            AND kind IN ('close', 'fail') AND (duration_us >= (SELECT told_us FROM youngest) OR counters_since = 'scan')
    ),
    -- One row per connection of that boot without an end: the last word on it.
    open_connections AS
    (
        SELECT
            host_name, executable, pid, role, peer_address, start_ts, ts, bytes_sent, bytes_received,
            if(role = 'client', peer_port, local_port) AS service_port
        FROM tcp_events
        WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
            AND ts >= {since:DateTime64(6, 'UTC')} AND ts < {until:DateTime64(6, 'UTC')}
            AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
            AND (NOT own OR {own:Bool})
            AND kind IN ('open', 'update') AND socket_cookie != 0
            AND (host_id, boot_id) GLOBAL IN (SELECT host_id, boot_id FROM booted)
            AND cityHash64(host_id, boot_id, socket_cookie, generation) GLOBAL NOT IN (SELECT connection FROM ended)
        ORDER BY ts DESC
        LIMIT 1 BY host_id, boot_id, socket_cookie, generation
    )
SELECT
    host_name, executable, pid, role, peer_address, service_port, start_ts, ts AS seen_ts, bytes_sent, bytes_received
FROM open_connections
ORDER BY start_ts, host_name, pid, peer_address
LIMIT {limit:UInt32}
