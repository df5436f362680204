-- question: Where and when did many handshakes stay unfinished?
-- why: Handshakes that nobody finishes are a SYN flood, a scan, or a path that loses the way back.
-- since: 24h
-- limit: 50
-- param: half_open_min UInt64 = 100: Reports in five minutes from which a row is told.
-- chart: bars half_open
SELECT
    bin, host_name, service_port,
    sum(tier.half_open) AS half_open,
    sum(tier.connections) AS connections
FROM connections_5m AS tier
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND bin >= toStartOfFiveMinutes({since:DateTime64(6, 'UTC')}) AND bin < {until:DateTime64(6, 'UTC')}
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
GROUP BY bin, host_id, host_name, service_port
HAVING half_open >= {half_open_min:UInt64}
ORDER BY half_open DESC, bin, host_name, host_id, service_port
LIMIT {limit:UInt32}
