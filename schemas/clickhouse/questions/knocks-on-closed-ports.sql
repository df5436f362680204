-- question: Who knocks on ports where nothing listens?
-- why: Scans show here first; so does a client that has a stale address.
-- since: 24h
-- limit: 50
-- chart: bars knocks
SELECT
    peer_address, host_name,
    count() AS knocks,
    uniqExact(local_port) AS ports,
    arraySlice(arraySort(groupUniqArray(local_port)), 1, 10) AS some_ports,
    min(event.ts) AS first_ts,
    max(event.ts) AS last_ts
FROM tcp_events AS event
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND ts >= {since:DateTime64(6, 'UTC')} AND ts < {until:DateTime64(6, 'UTC')}
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
    AND kind = 'reset' AND reset_direction = 'sent' AND state = 'closed' AND socket_cookie = 0
GROUP BY peer_address, host_id, host_name
ORDER BY ports DESC, knocks DESC, peer_address, host_name, host_id
LIMIT {limit:UInt32}
