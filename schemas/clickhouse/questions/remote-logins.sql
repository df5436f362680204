-- question: Who logs in from where to where?
-- why: Moving sideways needs SSH, RDP, SMB or WinRM; each pair of hosts that is new is worth a look.
-- since: 7d
-- limit: 100
-- param: ports Array(UInt16) = 22,445,3389,5985,5986: Ports of remote administration.
-- chart: bars connections
SELECT
    host_name, role, peer_address, service_port,
    min(edges.first_ts) AS first_ts,
    max(edges.last_ts) AS last_ts,
    sum(edges.connections) AS connections,
    sum(edges.failures) AS failures,
    arraySlice(arraySort(groupUniqArray(executable)), 1, 5) AS executables
FROM edges
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
    AND service_port IN {ports:Array(UInt16)} AND peer_address != toIPv6('::')
GROUP BY host_id, host_name, role, peer_address, service_port
ORDER BY first_ts DESC, host_name, host_id, role, peer_address, service_port
LIMIT {limit:UInt32}
