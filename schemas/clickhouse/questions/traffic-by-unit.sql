-- question: Which containers and units of systemd move the most?
-- why: Who owns the traffic where a program's name says too little.
-- since: 1h
-- limit: 50
-- chart: bars bytes
SELECT
    host_name, systemd_unit, container_id, pod_uid,
    sum(event.connections) AS connections,
    sum(event.bytes_sent) AS bytes_sent,
    sum(event.bytes_received) AS bytes_received,
    bytes_sent + bytes_received AS bytes
FROM tcp_events AS event
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND ts >= {since:DateTime64(6, 'UTC')} AND ts < {until:DateTime64(6, 'UTC')}
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
    AND event.connections > 0
GROUP BY host_id, host_name, systemd_unit, container_id, pod_uid
ORDER BY bytes DESC, host_name, host_id, systemd_unit, container_id, pod_uid
LIMIT {limit:UInt32}
