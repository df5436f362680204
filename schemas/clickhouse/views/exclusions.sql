CREATE OR REPLACE VIEW {database}.exclusions {on_cluster}
(
    host_id LowCardinality(String) COMMENT 'Machine id, unless configured.',
    host_name String COMMENT 'Name of the host.',
    rule String COMMENT 'Filter of the configuration, fold, or step of the byte budget.',
    folded UInt64 COMMENT 'Events it folded into the rows of others; views that count connections count them. Unit: events.',
    filtered UInt64 COMMENT 'Events it left out: nothing else tells of them. Unit: events.',
    first_ts DateTime64(6, 'UTC') COMMENT 'First batch by which it had folded or left out an event.',
    last_ts DateTime64(6, 'UTC') COMMENT 'Last batch by which it had folded or left out another.'
)
AS
WITH
    -- One row per batch and rule in it; counts go on within a run of the agent.
    counts AS
    (
        SELECT
            host_id, host_name, agent_epoch, batch_seq, batch_ts,
            counted.1 AS rule, counted.2 AS folded, counted.3 AS filtered
        FROM {database}.tcp_batches
        ARRAY JOIN arrayZip(rules.rule, rules.folded, rules.filtered) AS counted
    ),
    -- One row per run and rule: its last counts, and the first batch that had them.
    runs AS
    (
        SELECT
            host_id, agent_epoch, rule,
            argMax(counts.host_name, batch_seq) AS host_name,
            max(counts.folded) AS folded,
            max(counts.filtered) AS filtered,
            min(counts.batch_ts) AS first_ts,
            argMin(counts.batch_ts, (-toInt64(counts.folded + counts.filtered), batch_seq)) AS last_ts
        FROM counts
        GROUP BY host_id, agent_epoch, rule
    )
SELECT
    host_id,
    argMax(runs.host_name, agent_epoch) AS host_name,
    rule,
    sum(runs.folded) AS folded,
    sum(runs.filtered) AS filtered,
    min(runs.first_ts) AS first_ts,
    max(runs.last_ts) AS last_ts
FROM runs
GROUP BY host_id, rule
COMMENT 'One row per host and rule: what it folded or left out, in runs of the agent of the kept days.';
