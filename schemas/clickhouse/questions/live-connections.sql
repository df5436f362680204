-- question: Which connections are open now, the oldest first?
-- why: What holds a port, a tunnel or a session at this moment. Reads the view connections, which finds what has no end: slow over many days.
-- since: 7d
-- limit: 100
-- chart: none
SELECT
    host_name, executable, pid, role, peer_address,
    if(role = 'client', peer_port, local_port) AS service_port,
    start_ts, seen_ts, bytes_sent, bytes_received, doubts
FROM connections
WHERE state = 'live'
    AND start_ts >= {since:DateTime64(6, 'UTC')} AND start_ts < {until:DateTime64(6, 'UTC')}
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
ORDER BY start_ts, host_name, pid, peer_address
LIMIT {limit:UInt32}
