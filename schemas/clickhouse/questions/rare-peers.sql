-- question: Which peers does only one host talk to, with only one program?
-- why: What the whole fleet does is rarely an attack; what one program on one host does may be.
-- since: 7d
-- limit: 100
-- chart: bars bytes
SELECT
    peer_address,
    any(host_name) AS only_host_name,
    any(executable) AS only_executable,
    arraySlice(arraySort(groupUniqArray(service_port)), 1, 5) AS service_ports,
    sum(edges.connections) AS connections,
    sum(edges.bytes_sent + edges.bytes_received) AS bytes,
    min(edges.first_ts) AS first_ts
FROM edges
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
    AND role = 'client'
GROUP BY peer_address
HAVING uniqExact(host_id) = 1 AND uniqExact(executable) = 1
ORDER BY bytes DESC, peer_address
LIMIT {limit:UInt32}
