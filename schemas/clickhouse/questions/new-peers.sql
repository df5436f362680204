-- question: Which peers were never seen before?
-- why: An address that nobody ever talked to is where intrusions and misconfigurations begin. Sums go on to the end of the window's last day.
-- since: 24h
-- limit: 100
-- param: role String = client: client: whom programs connected to; server: who connected to them.
-- chart: bars bytes
WITH
    -- One row per day and edge of peers of earlier days.
    known AS
    (
        SELECT peer_address
        FROM edges
        WHERE day < toDate({since:DateTime64(6, 'UTC')})
            AND role = {role:String}
            AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
            AND (NOT own OR {own:Bool})
    ),
    -- One row per new peer that is told: those that moved the most bytes, found by sums alone, as there may be millions.
    told AS
    (
        SELECT peer_address
        FROM edges
        WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
            AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
            AND (NOT own OR {own:Bool})
            AND role = {role:String}
            AND peer_address != toIPv6('::')
            -- identity: millions of known peers are no ranges of the key; to look for these takes most of a GiB.
            AND identity(peer_address) NOT IN (SELECT peer_address FROM known)
        GROUP BY peer_address
        HAVING min(first_ts) >= {since:DateTime64(6, 'UTC')} AND min(first_ts) < {until:DateTime64(6, 'UTC')}
        ORDER BY sum(bytes_sent + bytes_received) DESC, min(first_ts), peer_address
        LIMIT {limit:UInt32}
    )
SELECT
    peer_address,
    min(edges.first_ts) AS first_ts,
    max(edges.last_ts) AS last_ts,
    arraySlice(arraySort(groupUniqArray(host_name)), 1, 5) AS host_names,
    arraySlice(arraySort(groupUniqArray(executable)), 1, 5) AS executables,
    arraySlice(arraySort(groupUniqArray(service_port)), 1, 5) AS service_ports,
    sum(edges.connections) AS connections,
    sum(edges.failures) AS failures,
    sum(edges.bytes_sent + edges.bytes_received) AS bytes
FROM edges
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
    AND role = {role:String}
    AND peer_address IN (SELECT peer_address FROM told)
GROUP BY peer_address
ORDER BY bytes DESC, first_ts, peer_address
LIMIT {limit:UInt32}
