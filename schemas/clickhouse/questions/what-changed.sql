-- question: What changed against an earlier window of the same length?
-- why: After a deploy or before an incident: which programs came, went, or connect far more or less. host_new and host_gone are of hosts with nothing in one of the windows: idle, or not recorded.
-- since: 1h
-- limit: 50
-- param: earlier_s UInt32 = 86400: Seconds that the other window lies earlier.
-- param: change_min UInt64 = 1: Connections more or fewer from which a row is told.
-- chart: bars connections
WITH
    -- One row per program and service, with the sums of both windows, and how much there was of its host.
    windows AS
    (
        SELECT
            host_id, host_name, executable, role, service_port,
            sumIf(tier.connections, bin >= toStartOfFiveMinutes({since:DateTime64(6, 'UTC')})
                AND bin < toStartOfFiveMinutes({until:DateTime64(6, 'UTC')})) AS connections,
            sumIf(tier.connections, bin >= toStartOfFiveMinutes({since:DateTime64(6, 'UTC')}) - toIntervalSecond({earlier_s:UInt32})
                AND bin < toStartOfFiveMinutes({until:DateTime64(6, 'UTC')}) - toIntervalSecond({earlier_s:UInt32})) AS connections_before,
            sumIf(tier.bytes_sent + tier.bytes_received, bin >= toStartOfFiveMinutes({since:DateTime64(6, 'UTC')})
                AND bin < toStartOfFiveMinutes({until:DateTime64(6, 'UTC')})) AS bytes,
            sumIf(tier.bytes_sent + tier.bytes_received, bin >= toStartOfFiveMinutes({since:DateTime64(6, 'UTC')}) - toIntervalSecond({earlier_s:UInt32})
                AND bin < toStartOfFiveMinutes({until:DateTime64(6, 'UTC')}) - toIntervalSecond({earlier_s:UInt32})) AS bytes_before,
            sum(sumIf(tier.events, bin >= toStartOfFiveMinutes({since:DateTime64(6, 'UTC')})
                AND bin < toStartOfFiveMinutes({until:DateTime64(6, 'UTC')}))) OVER (PARTITION BY host_id) AS host_events,
            sum(sumIf(tier.events, bin >= toStartOfFiveMinutes({since:DateTime64(6, 'UTC')}) - toIntervalSecond({earlier_s:UInt32})
                AND bin < toStartOfFiveMinutes({until:DateTime64(6, 'UTC')}) - toIntervalSecond({earlier_s:UInt32}))) OVER (PARTITION BY host_id) AS host_events_before
        FROM connections_5m AS tier
        WHERE (day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
                AND bin >= toStartOfFiveMinutes({since:DateTime64(6, 'UTC')}) AND bin < toStartOfFiveMinutes({until:DateTime64(6, 'UTC')})
            OR day BETWEEN toDate({since:DateTime64(6, 'UTC')} - toIntervalSecond({earlier_s:UInt32})) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalSecond({earlier_s:UInt32}))
                AND bin >= toStartOfFiveMinutes({since:DateTime64(6, 'UTC')}) - toIntervalSecond({earlier_s:UInt32}) AND bin < toStartOfFiveMinutes({until:DateTime64(6, 'UTC')}) - toIntervalSecond({earlier_s:UInt32}))
            AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
            AND (NOT own OR {own:Bool})
        GROUP BY host_id, host_name, executable, role, service_port
    )
SELECT
    multiIf(
        host_events_before = 0, 'host_new', host_events = 0, 'host_gone', connections_before = 0, 'new', connections = 0, 'gone',
        connections > connections_before, 'more', 'fewer') AS change,
    host_name, executable, role, service_port, connections, connections_before, bytes, bytes_before
FROM windows
WHERE connections != connections_before AND abs(toInt64(connections) - toInt64(connections_before)) >= {change_min:UInt64}
ORDER BY abs(toInt64(connections) - toInt64(connections_before)) DESC, host_name, host_id, executable, role, service_port
LIMIT {limit:UInt32}
