-- question: Which agents use much, fall behind, or miss evidence?
-- why: An answer is as good as what was recorded: who recorded less, and what is missing for it.
-- since: 1h
-- limit: 100
-- chart: bars publish_lag_us_max
SELECT
    host_name,
    argMax(batch.agent_version, batch.batch_ts) AS agent_version,
    max(batch.memory_bytes) AS memory_bytes_max,
    max(batch.spool_bytes) AS spool_bytes_max,
    max(batch.publish_lag_us) AS publish_lag_us_max,
    max(batch.clock_error_us) AS clock_error_us_max,
    arrayFilter((program, attached) -> NOT attached,
        argMax(batch.capabilities.program, batch.batch_ts), argMax(batch.capabilities.attached, batch.batch_ts)) AS missing_programs
FROM tcp_batches AS batch
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND batch.batch_ts >= {since:DateTime64(6, 'UTC')} AND batch.batch_ts < {until:DateTime64(6, 'UTC')}
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND heartbeat
GROUP BY host_id, host_name
ORDER BY publish_lag_us_max DESC, memory_bytes_max DESC, host_name, host_id
LIMIT {limit:UInt32}
