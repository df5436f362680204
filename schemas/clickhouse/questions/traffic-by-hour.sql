-- question: How much traffic was there, hour by hour?
-- why: The shape of a day, against which an odd hour shows.
-- since: 7d
-- limit: 1000
-- chart: line bytes_sent, bytes_received, connections, failures over bin
SELECT
    bin,
    sum(tier.connections) AS connections,
    sum(tier.failures) AS failures,
    sum(tier.bytes_sent) AS bytes_sent,
    sum(tier.bytes_received) AS bytes_received
FROM connections_1h AS tier
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND bin >= toStartOfHour({since:DateTime64(6, 'UTC')}) AND bin < {until:DateTime64(6, 'UTC')}
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
GROUP BY bin
ORDER BY bin DESC
LIMIT {limit:UInt32}
