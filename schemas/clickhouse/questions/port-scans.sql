-- question: Which programs try many ports or many addresses in vain?
-- why: A program on the inside that fails against many targets looks for a way further in.
-- since: 1h
-- limit: 50
-- param: targets_min UInt64 = 20: Different addresses and ports below which a row is not told.
-- chart: bars targets
SELECT
    host_name, pid, executable, uid,
    uniqExact(peer_address, peer_port) AS targets,
    uniqExact(peer_address) AS addresses,
    uniqExact(peer_port) AS ports,
    count() AS failures,
    min(event.ts) AS first_ts,
    max(event.ts) AS last_ts
FROM tcp_events AS event
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND ts >= {since:DateTime64(6, 'UTC')} AND ts < {until:DateTime64(6, 'UTC')}
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
    AND kind = 'fail' AND role = 'client'
GROUP BY host_id, host_name, pid, executable, uid
HAVING targets >= {targets_min:UInt64}
ORDER BY targets DESC, failures DESC, host_name, host_id, pid
LIMIT {limit:UInt32}
