-- question: Why does the kernel send resets?
-- why: The kernel knows its reason, and no packet shows it.
-- since: 24h
-- limit: 50
-- chart: bars resets
SELECT
    reset_direction, reset_reason,
    count() AS resets,
    uniqExact(host_id) AS hosts,
    arraySlice(arraySort(groupUniqArray(event.local_port)), 1, 5) AS some_local_ports
FROM tcp_events AS event
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND ts >= {since:DateTime64(6, 'UTC')} AND ts < {until:DateTime64(6, 'UTC')}
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
    AND kind = 'reset'
GROUP BY reset_direction, reset_reason
ORDER BY resets DESC, reset_direction, reset_reason
LIMIT {limit:UInt32}
