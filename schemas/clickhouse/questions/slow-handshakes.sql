-- question: To and from whom does a handshake take long?
-- why: A handshake measures the path and the peer's kernel before any program is involved.
-- since: 1h
-- limit: 50
-- param: over_us UInt32 = 200000: Handshakes that took at least so long. Unit: us.
-- chart: bars connections
SELECT
    host_name, role, peer_address,
    if(role = 'client', peer_port, local_port) AS service_port,
    sum(event.connections) AS connections,
    quantileExactWeighted(0.5)(handshake_us, event.connections) AS handshake_us_median,
    max(event.handshake_us) AS handshake_us_max,
    minIf(event.min_rtt_us, event.min_rtt_us > 0) AS min_rtt_us
FROM tcp_events AS event
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND ts >= {since:DateTime64(6, 'UTC')} AND ts < {until:DateTime64(6, 'UTC')}
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
    AND event.connections > 0 AND handshake_us >= {over_us:UInt32}
GROUP BY host_id, host_name, role, peer_address, service_port
ORDER BY connections DESC, handshake_us_max DESC, host_name, host_id, role, peer_address, service_port
LIMIT {limit:UInt32}
