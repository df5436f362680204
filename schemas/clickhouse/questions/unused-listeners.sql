-- question: Which listeners did nobody connect to?
-- why: A port that nobody needs is a port that nobody watches.
-- since: 7d
-- limit: 200
-- chart: none
WITH
    -- One row per listener that still listens: the last word on it.
    listening AS
    (
        SELECT
            host_id, host_name, network_namespace, local_address, local_port,
            argMax(event.executable, ts) AS executable,
            min(event.ts) AS first_ts,
            max(event.ts) AS last_ts
        FROM tcp_events AS event
        WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
            AND ts >= {since:DateTime64(6, 'UTC')} AND ts < {until:DateTime64(6, 'UTC')}
            AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
            AND (NOT own OR {own:Bool})
            AND kind IN ('listen', 'unlisten', 'listener')
        GROUP BY host_id, host_name, network_namespace, local_address, local_port
        HAVING argMax(kind, ts) != 'unlisten'
    ),
    -- One row per host and port that has events of peers beyond handshakes that did not complete and resets, on the days of the window.
    used AS
    (
        SELECT host_id, local_port
        FROM
        (
            SELECT host_id, service_port AS local_port, toInt64(sum(edges.events)) AS of_peers
            FROM edges
            WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
                AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
                AND (NOT own OR {own:Bool})
                AND role = 'server' AND peer_address != toIPv6('::')
            GROUP BY host_id, service_port
            UNION ALL
            SELECT host_id, service_port, -toInt64(sum(tier.half_open) + sum(tier.resets))
            FROM connections_1h AS tier
            WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
                AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
                AND (NOT own OR {own:Bool})
                AND role = 'server'
            GROUP BY host_id, service_port
        )
        GROUP BY host_id, local_port
        HAVING sum(of_peers) > 0
    )
SELECT host_name, local_address, local_port, executable, first_ts, last_ts
FROM listening
WHERE (host_id, local_port) NOT IN (SELECT host_id, local_port FROM used)
ORDER BY host_name, local_port, local_address
LIMIT {limit:UInt32}
