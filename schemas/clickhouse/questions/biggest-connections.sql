-- question: Which single connections moved the most bytes?
-- why: One copy of a disk hides in a sum; here it is a line with its owner.
-- since: 24h
-- limit: 20
-- chart: bars bytes
SELECT
    ts, host_name, executable, pid, role, peer_address,
    if(role = 'client', peer_port, local_port) AS service_port,
    verdict, duration_us, bytes_sent, bytes_received,
    bytes_sent + bytes_received AS bytes
FROM tcp_events
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND ts >= {since:DateTime64(6, 'UTC')} AND ts < {until:DateTime64(6, 'UTC')}
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
    AND kind = 'close'
ORDER BY bytes DESC, ts
LIMIT {limit:UInt32}
