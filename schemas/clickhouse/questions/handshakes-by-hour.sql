-- question: How long do handshakes of clients take, by service and hour?
-- why: The mean of a service that creeps up is a path or a server that fills.
-- since: 7d
-- limit: 1000
-- param: service_port UInt16 = 443: Port of the service.
-- chart: line handshake_us_mean over bin by host_name, host_id
SELECT
    bin, host_name, host_id,
    sum(tier.handshakes) AS handshakes,
    round(sum(tier.handshake_us) / handshakes) AS handshake_us_mean
FROM connections_1h AS tier
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND bin >= toStartOfHour({since:DateTime64(6, 'UTC')}) AND bin < {until:DateTime64(6, 'UTC')}
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
    AND role = 'client' AND service_port = {service_port:UInt16}
GROUP BY bin, host_id, host_name
HAVING handshakes > 0
ORDER BY bin DESC, host_name, host_id
LIMIT {limit:UInt32}
