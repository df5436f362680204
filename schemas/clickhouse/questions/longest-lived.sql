-- question: Which connections that ended had lived the longest?
-- why: Tunnels, forgotten sessions and leaks live long; so do healthy pools, hence who owns them.
-- since: 24h
-- limit: 20
-- chart: bars duration_us
SELECT
    ts, host_name, executable, pid, role, peer_address,
    if(role = 'client', peer_port, local_port) AS service_port,
    verdict, start_ts, duration_us,
    bytes_sent + bytes_received AS bytes
FROM tcp_events
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND ts >= {since:DateTime64(6, 'UTC')} AND ts < {until:DateTime64(6, 'UTC')}
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
    AND kind = 'close'
ORDER BY duration_us DESC, ts
LIMIT {limit:UInt32}
