-- question: Which shells and interpreters connect somewhere?
-- why: A reverse shell is a shell with a connection; a shell rarely has a good one.
-- since: 24h
-- limit: 100
-- param: names Array(String) = sh,bash,dash,zsh,ksh,nc,ncat,socat,busybox,perl,python3,ruby,php,lua: Names of such programs.
-- chart: none
SELECT
    host_name, executable, pid, uid, parent_executable, peer_address, peer_port,
    sum(event.connections) AS connections,
    min(event.ts) AS first_ts,
    max(event.ts) AS last_ts,
    max(event.duration_us) AS duration_us_max
FROM tcp_events AS event
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND ts >= {since:DateTime64(6, 'UTC')} AND ts < {until:DateTime64(6, 'UTC')}
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
    AND event.connections > 0 AND role = 'client' AND splitByChar('/', executable)[-1] IN {names:Array(String)}
GROUP BY host_id, host_name, executable, pid, uid, parent_executable, peer_address, peer_port
ORDER BY first_ts DESC, host_name, host_id, pid, peer_address, peer_port
LIMIT {limit:UInt32}
