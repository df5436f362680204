-- question: Which hosts stopped reporting?
-- why: No connections and no agent look the same until one asks for the heartbeat.
-- since: 7d
-- limit: 100
-- param: seconds UInt32 = 60: Silence before the end of the window from which a host counts as silent. Unit: seconds.
-- chart: bars silent_seconds
SELECT
    argMax(batch.host_name, batch.batch_ts) AS host_name, host_id,
    max(batch.batch_ts) AS last_batch_ts,
    dateDiff('second', last_batch_ts, {until:DateTime64(6, 'UTC')}) AS silent_seconds,
    argMax(batch.agent_version, batch.batch_ts) AS agent_version,
    argMax(batch.kernel_release, batch.batch_ts) AS kernel_release
FROM tcp_batches AS batch
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND batch.batch_ts >= {since:DateTime64(6, 'UTC')} AND batch.batch_ts < {until:DateTime64(6, 'UTC')}
GROUP BY host_id
HAVING silent_seconds >= {seconds:UInt32}
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
ORDER BY silent_seconds DESC, host_name, host_id
LIMIT {limit:UInt32}
