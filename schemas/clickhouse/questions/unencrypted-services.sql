-- question: Who still uses services that do not encrypt?
-- why: Telnet, FTP, plain HTTP, POP and LDAP show passwords to whoever listens on the way.
-- since: 7d
-- limit: 100
-- param: ports Array(UInt16) = 21,23,25,80,110,143,389,512,513,514,1433,5900,6379,11211: Ports of such services.
-- chart: bars connections
SELECT
    service_port, host_name, executable,
    sum(tier.connections) AS connections,
    uniqCombinedMerge(12)(tier.peers) AS peers,
    sum(tier.bytes_sent + tier.bytes_received) AS bytes
FROM connections_1h AS tier
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND bin >= toStartOfHour({since:DateTime64(6, 'UTC')}) AND bin < {until:DateTime64(6, 'UTC')}
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
    AND role = 'client' AND service_port IN {ports:Array(UInt16)}
GROUP BY service_port, host_id, host_name, executable
HAVING connections > 0
ORDER BY connections DESC, service_port, host_name, host_id, executable
LIMIT {limit:UInt32}
