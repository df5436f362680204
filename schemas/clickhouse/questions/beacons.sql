-- question: Which programs call one peer at even intervals?
-- why: Implants call home by the clock; so do agents and health checks, which one gets to know.
-- since: 6h
-- limit: 50
-- param: calls_min UInt32 = 20: Calls below which evenness says nothing.
-- param: spread_percent_max Float64 = 20: Standard deviation of the gaps, in percent of their mean, up to which calls count as even.
-- chart: bars calls
WITH
    -- One row per program and peer with enough calls on the days of the window.
    callers AS
    (
        SELECT host_id, executable, peer_address, service_port
        FROM edges
        WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
            AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
            AND (NOT own OR {own:Bool})
            AND role = 'client'
        GROUP BY host_id, executable, peer_address, service_port
        HAVING sum(edges.connections) >= {calls_min:UInt32}
    ),
    -- One row per such program and peer: the seconds between its calls in the window, without folded rows: they have no time of each.
    called AS
    (
        SELECT
            host_id, host_name, executable, peer_address, peer_port,
            arraySort(groupArray(toUnixTimestamp64Micro(start_ts) / 1e6)) AS times,
            arrayPopFront(arrayDifference(times)) AS gaps,
            sum(event.bytes_sent) AS bytes_sent
        FROM tcp_events AS event
        WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
            AND ts >= {since:DateTime64(6, 'UTC')} AND ts < {until:DateTime64(6, 'UTC')}
            AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
            AND (NOT own OR {own:Bool})
            AND kind = 'close' AND role = 'client'
            AND (host_id, executable, peer_address, peer_port) GLOBAL IN (SELECT host_id, executable, peer_address, service_port FROM callers)
        GROUP BY host_id, host_name, executable, peer_address, peer_port
        HAVING count() BETWEEN {calls_min:UInt32} AND 100000
    )
SELECT
    host_name, executable, peer_address, peer_port,
    length(times) AS calls,
    round(arrayAvg(gaps), 1) AS gap_s_mean,
    round(100 * sqrt(arrayAvg(gap -> pow(gap - arrayAvg(gaps), 2), gaps)) / arrayAvg(gaps), 1) AS spread_percent,
    bytes_sent
FROM called
WHERE arrayAvg(gaps) > 0 AND spread_percent <= {spread_percent_max:Float64}
ORDER BY spread_percent, calls DESC, host_name, host_id, executable, peer_address, peer_port
LIMIT {limit:UInt32}
