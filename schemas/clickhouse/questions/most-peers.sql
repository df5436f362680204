-- question: Which programs talk to the most different peers?
-- why: A program that meets far more addresses than its like is a scanner, a crawler or infected.
-- since: 1h
-- limit: 20
-- param: role String = client: client: whom programs connected to; server: who connected to them.
-- chart: bars peers
SELECT
    host_name, executable,
    uniqCombinedMerge(12)(tier.peers) AS peers,
    sum(tier.connections) AS connections,
    sum(tier.failures) AS failures,
    uniqExact(service_port) AS service_ports
FROM connections_5m AS tier
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND bin >= toStartOfFiveMinutes({since:DateTime64(6, 'UTC')}) AND bin < {until:DateTime64(6, 'UTC')}
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
    AND role = {role:String}
GROUP BY host_id, host_name, executable
ORDER BY peers DESC, connections DESC, host_name, host_id, executable
LIMIT {limit:UInt32}
