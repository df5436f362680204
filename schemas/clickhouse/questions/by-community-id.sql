-- question: Which connection has this Community ID?
-- why: An alert of Zeek or Suricata carries it; here it leads to the process.
-- since: 7d
-- limit: 20
-- param: community_id String: The Community ID, as 1:LQU9qZlK+B5F3KDmev6m5PMibrg=.
-- chart: none
SELECT
    ts, host_name, kind, executable, pid, uid, role, local_address, local_port, peer_address, peer_port, verdict,
    bytes_sent, bytes_received
FROM tcp_events
WHERE community_id = {community_id:String}
    AND day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND ts >= {since:DateTime64(6, 'UTC')} AND ts < {until:DateTime64(6, 'UTC')}
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
ORDER BY ts DESC, host_name, kind
LIMIT {limit:UInt32}
