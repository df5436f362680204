-- question: Why do connections fail?
-- why: Refused, timed out and unreachable have different owners: the service, the path, the routing.
-- since: 1h
-- limit: 50
-- chart: bars failures
SELECT
    verdict, errno,
    transform(
        errno,
        [0, 1, 13, 99, 101, 103, 104, 110, 111, 112, 113],
        ['', 'EPERM', 'EACCES', 'EADDRNOTAVAIL', 'ENETUNREACH', 'ECONNABORTED', 'ECONNRESET', 'ETIMEDOUT', 'ECONNREFUSED', 'EHOSTDOWN', 'EHOSTUNREACH'],
        toString(errno)) AS error,
    sum(tier.failures) AS failures,
    uniqExactIf(host_id, tier.failures > 0) AS hosts,
    uniqExactIf(executable, tier.failures > 0) AS executables,
    arraySlice(arraySort(groupUniqArrayIf(service_port, tier.failures > 0)), 1, 5) AS some_ports
FROM connections_5m AS tier
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND bin >= toStartOfFiveMinutes({since:DateTime64(6, 'UTC')}) AND bin < {until:DateTime64(6, 'UTC')}
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
GROUP BY verdict, errno
HAVING failures > 0
ORDER BY failures DESC, verdict, errno
LIMIT {limit:UInt32}
