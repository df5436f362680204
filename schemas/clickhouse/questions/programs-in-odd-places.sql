-- question: Which programs that connect run from where no program belongs?
-- why: What was dropped by an intruder runs from /tmp, /dev/shm or memory, and keeps its path when the file is deleted; 0 connections where all of it is still open, 0 peers where it only listens.
-- since: 7d
-- limit: 100
-- chart: bars connections
SELECT
    host_name, executable, role,
    sum(edges.connections) AS connections,
    uniqExactIf(peer_address, peer_address != toIPv6('::')) AS peers,
    arraySlice(arraySort(groupUniqArray(service_port)), 1, 5) AS service_ports,
    max(edges.last_ts) AS last_ts
FROM edges
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
    AND match(executable, '^/(tmp/|var/tmp/|dev/shm/|run/shm/|memfd:)')
GROUP BY host_id, host_name, executable, role
ORDER BY connections DESC, host_name, host_id, executable, role
LIMIT {limit:UInt32}
