-- question: Which listeners did nobody connect to?
-- why: A port that nobody needs is a port that nobody watches; of those that listen still. Where several namespaces of a host listen on one port, only raw events tell which was used: what a namespace did on days older than these is not known.
-- since: 7d
-- limit: 200
-- chart: none
WITH
    -- One row per namespace, address and port that is listened on, by however many sockets.
    listening AS
    (
        SELECT
            host_id, host_name, network_namespace, local_address, local_port,
            argMax(listener.executable, listener.last_ts) AS executable,
            min(listener.first_ts) AS first_ts,
            max(listener.last_ts) AS last_ts,
            uniqExact(network_namespace) OVER (PARTITION BY host_id, local_port) AS namespaces
        FROM listeners AS listener
        WHERE state = 'listening' AND listener.first_ts < {until:DateTime64(6, 'UTC')}
            AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
            AND (NOT own OR {own:Bool})
        GROUP BY host_id, host_name, network_namespace, local_address, local_port
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
    ),
    -- One row per namespace and port with connections, where a port is listened on in several, as in containers: edges do not tell them apart.
    used_inside AS
    (
        SELECT host_id, network_namespace, local_port
        FROM tcp_events
        WHERE (host_id, local_port) GLOBAL IN (SELECT host_id, local_port FROM listening WHERE namespaces > 1)
            AND day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
            AND ts >= toStartOfDay({since:DateTime64(6, 'UTC')})
            AND (NOT own OR {own:Bool})
            AND role = 'server' AND kind IN ('open', 'update', 'close', 'fail', 'summary')
        GROUP BY host_id, network_namespace, local_port
    )
SELECT host_name, network_namespace, local_address, local_port, executable, first_ts, last_ts
FROM listening
WHERE (host_id, local_port) NOT IN (SELECT host_id, local_port FROM used)
    OR namespaces > 1
        AND (host_id, network_namespace, local_port) NOT IN (SELECT host_id, network_namespace, local_port FROM used_inside)
ORDER BY host_name, local_port, local_address, network_namespace
LIMIT {limit:UInt32}
