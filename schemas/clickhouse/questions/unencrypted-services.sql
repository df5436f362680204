-- question: Who still uses services that do not encrypt?
-- why: Telnet, FTP, plain HTTP, POP and LDAP show passwords to whoever listens on the way; what opened or moved bytes in the window and has no end there counts too.
-- since: 7d
-- limit: 100
-- param: ports Array(UInt16) = 21,23,25,80,110,143,389,512,513,514,1433,5900,6379,11211: Ports of such services.
-- chart: bars connections
WITH
    -- One row per connection to such a port that ended in the window.
    ended AS
    (
        SELECT cityHash64(host_id, boot_id, socket_cookie, generation) AS connection
        FROM tcp_events
        WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
            AND ts >= toStartOfHour({since:DateTime64(6, 'UTC')}) AND ts < {until:DateTime64(6, 'UTC')}
            AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
            AND peer_port IN {ports:Array(UInt16)} AND kind IN ('close', 'fail') AND role = 'client'
    ),
    -- One row per connection to such a port that was told of and has no end: the last word on it. As long as events are kept.
    unended AS
    (
        SELECT host_name, executable, peer_port, peer_address, bytes_sent, bytes_received
        FROM tcp_events
        WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
            AND ts >= toStartOfHour({since:DateTime64(6, 'UTC')}) AND ts < {until:DateTime64(6, 'UTC')}
            AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
            AND (NOT own OR {own:Bool})
            AND peer_port IN {ports:Array(UInt16)} AND kind IN ('open', 'update') AND role = 'client'
            AND cityHash64(host_id, boot_id, socket_cookie, generation) GLOBAL NOT IN (SELECT connection FROM ended)
        ORDER BY ts DESC
        LIMIT 1 BY host_id, boot_id, socket_cookie, generation
    ),
    -- One row per service, host and program: of what ended, and of what did not.
    uses AS
    (
        SELECT
            service_port, host_name, executable,
            sum(tier.connections) AS ends, 0 AS open_ones,
            uniqCombinedMergeState(12)(tier.peers) AS peers_state,
            sum(tier.bytes_sent + tier.bytes_received) AS moved
        FROM connections_1h AS tier
        WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
            AND bin >= toStartOfHour({since:DateTime64(6, 'UTC')}) AND bin < {until:DateTime64(6, 'UTC')}
            AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
            AND (NOT own OR {own:Bool})
            AND role = 'client' AND service_port IN {ports:Array(UInt16)}
        GROUP BY service_port, host_name, executable
        UNION ALL
        SELECT
            peer_port, host_name, executable, 0, count(), uniqCombinedState(12)(peer_address),
            sum(unended.bytes_sent + unended.bytes_received)
        FROM unended
        GROUP BY peer_port, host_name, executable
    )
SELECT
    service_port, host_name, executable,
    sum(uses.ends + uses.open_ones) AS connections,
    sum(uses.open_ones) AS without_end,
    uniqCombinedMerge(12)(uses.peers_state) AS peers,
    sum(uses.moved) AS bytes
FROM uses
GROUP BY service_port, host_name, executable
HAVING connections > 0
ORDER BY connections DESC, service_port, host_name, executable
LIMIT {limit:UInt32}
