-- question: Who still uses services that do not encrypt?
-- why: Telnet, FTP, plain HTTP, POP and LDAP show passwords to whoever listens on the way; connections and bytes are of what ended, 0 where all of it is still open.
-- since: 7d
-- limit: 100
-- param: ports Array(UInt16) = 21,23,25,80,110,143,389,512,513,514,1433,5900,6379,11211: Ports of such services.
-- chart: bars connections
SELECT
    service_port, host_name, executable,
    sum(edges.connections) AS connections,
    uniqExact(peer_address) AS peers,
    sum(edges.bytes_sent + edges.bytes_received) AS bytes,
    max(edges.last_ts) AS last_ts
FROM edges
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
    AND role = 'client' AND service_port IN {ports:Array(UInt16)}
GROUP BY service_port, host_id, host_name, executable
ORDER BY connections DESC, service_port, host_name, host_id, executable
LIMIT {limit:UInt32}
