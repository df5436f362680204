CREATE OR REPLACE VIEW {database}.hosts {on_cluster}
(
    host_id LowCardinality(String) COMMENT 'Machine id, unless configured.',
    host_name String COMMENT 'Name of the host.',
    boot_id String COMMENT 'Kernel boot id.',
    agent_version String COMMENT 'Version of the agent.',
    kernel_release String COMMENT 'Kernel release.',
    labels Map(String, String) COMMENT 'Configured labels: account, region, zone, team, service, environment.',
    agent_started_ts DateTime64(6, 'UTC') COMMENT 'Start of the agent\'s newest run.',
    agent_runs UInt64 COMMENT 'Runs of the agent in the kept days.',
    boots UInt64 COMMENT 'Boots of the host in the kept days.',
    last_batch_ts DateTime64(6, 'UTC') COMMENT 'Host\'s time of its newest batch.',
    last_heartbeat_ts DateTime64(6, 'UTC') COMMENT 'Host\'s time of its newest heartbeat; 1970 when there was none.',
    silent_seconds Int64 COMMENT 'Seconds since the newest batch.',
    silent Bool COMMENT 'Nothing came for 30 seconds, three heartbeats.',
    clock_ahead_seconds Int64 COMMENT 'Seconds the host\'s clock is ahead of the server\'s, at least; a clock behind shows as silence.',
    clock_error_us UInt64 COMMENT 'Uncertainty of the conversion from kernel time to UTC. Unit: us.',
    suspect_events UInt64 COMMENT 'Events whose time cannot be right, marked ts_suspect. Unit: events.',
    missing_programs Array(String) COMMENT 'BPF programs that do not run, what the agent needs around it and lacks, and what it gave up to stay below its ceilings (updates, retransmits, fold, programs) or within its byte budget (budget-…).',
    missing_evidence Array(String) COMMENT 'What is not recorded without them.',
    spool_bytes UInt64 COMMENT 'Bytes waiting in the spool. Unit: bytes.',
    publish_lag_us UInt64 COMMENT 'Age of the oldest batch not yet released by a reader. Unit: us.',
    cpu_us UInt64 COMMENT 'CPU time of the agent since it started. Unit: us.',
    memory_bytes UInt64 COMMENT 'Resident memory of the agent. Unit: bytes.',
    events UInt64 COMMENT 'Rows of tcp_events in the kept days; a summary, which stands for several connections, is one. Unit: rows.'
)
AS
WITH
    -- One row per host: its newest batch.
    newest AS
    (
        SELECT
            host_id,
            argMax(host_name, batch_ts) AS host_name,
            argMax(boot_id, batch_ts) AS boot_id,
            argMax(agent_version, batch_ts) AS agent_version,
            argMax(agent_epoch, batch_ts) AS agent_epoch,
            argMax(kernel_epoch, batch_ts) AS kernel_epoch,
            argMax(kernel_release, batch_ts) AS kernel_release,
            argMax(labels, batch_ts) AS labels,
            max(batch_ts) AS last_batch_ts,
            uniqExact(batch.boot_id) AS boots,
            uniqExact(batch.agent_epoch) AS agent_runs,
            sum(batch.events) AS events
        FROM {database}.tcp_batches AS batch
        GROUP BY host_id
    ),
    -- One row per host: its newest heartbeat.
    beats AS
    (
        SELECT
            host_id,
            max(batch_ts) AS last_heartbeat_ts,
            argMax(cpu_us, batch_ts) AS cpu_us,
            argMax(memory_bytes, batch_ts) AS memory_bytes,
            argMax(spool_bytes, batch_ts) AS spool_bytes,
            argMax(publish_lag_us, batch_ts) AS publish_lag_us,
            argMax(clock_error_us, batch_ts) AS clock_error_us,
            argMax(arrayFilter((program, attached) -> NOT attached, capabilities.program, capabilities.attached), batch_ts) AS missing_programs,
            argMax(arrayDistinct(arrayFilter((cost, attached) -> NOT attached, capabilities.cost, capabilities.attached)), batch_ts) AS missing_evidence
        FROM {database}.tcp_batches
        WHERE heartbeat
        GROUP BY host_id
    ),
    -- One row per host: its events whose time cannot be right.
    suspects AS
    (
        SELECT host_id, count() AS suspect_events
        FROM {database}.tcp_events
        WHERE ts_suspect
        GROUP BY host_id
    )
SELECT
    host_id, host_name, boot_id, agent_version, kernel_release, labels,
    agent_epoch AS agent_started_ts, agent_runs, boots,
    last_batch_ts, last_heartbeat_ts,
    greatest(0, dateDiff('second', last_batch_ts, now64(6, 'UTC'))) AS silent_seconds,
    toBool(silent_seconds > 30) AS silent,
    greatest(0, dateDiff('second', now64(6, 'UTC'), last_batch_ts)) AS clock_ahead_seconds,
    clock_error_us, suspect_events,
    missing_programs, missing_evidence,
    spool_bytes, publish_lag_us, cpu_us, memory_bytes, events
FROM newest
LEFT JOIN beats USING (host_id)
LEFT JOIN suspects USING (host_id)
COMMENT 'One row per host: its newest batch and heartbeat.';
