-- question: Which programs that connect run from where no program belongs?
-- why: What was dropped by an intruder runs from /tmp, /dev/shm or memory; a file that was deleted since keeps its path.
-- since: 7d
-- limit: 100
-- chart: bars connections
SELECT
    host_name, executable, role,
    sum(tier.connections) AS connections,
    uniqCombinedMerge(12)(tier.peers) AS peers,
    arraySlice(arraySort(groupUniqArray(service_port)), 1, 5) AS service_ports
FROM connections_1h AS tier
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND bin >= toStartOfHour({since:DateTime64(6, 'UTC')}) AND bin < {until:DateTime64(6, 'UTC')}
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
    AND match(executable, '^/(tmp/|var/tmp/|dev/shm/|run/shm/|memfd:)')
GROUP BY host_name, executable, role
ORDER BY connections DESC, host_name, executable, role
LIMIT {limit:UInt32}
