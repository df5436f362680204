-- What stands in braces is filled in by consumer/src/form.ts.
--
-- What was forgotten on purpose, and what must not be (docs/decisions/0030).

CREATE TABLE IF NOT EXISTS {database}.forgotten{local} {on_cluster}
(
    `forget_id` UUID COMMENT 'Names it.',
    `forgotten_ts` DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC') COMMENT 'When it ended. Unit: us.',
    `forgotten_by` LowCardinality(String) COMMENT 'Who: user@machine.',
    `kind` Enum8('address' = 1, 'host' = 2, 'uid' = 3) COMMENT 'What the rows were chosen by.',
    `salt` String COMMENT 'Random, in hexadecimal.',
    `value_hash` String COMMENT 'scrypt of the value with that salt (N 16384, r 8, p 1, 32 bytes), in hexadecimal.',
    `before` Date COMMENT 'Rows filed under earlier days; 1970-01-01: all.',
    `rows` Map(String, UInt64) COMMENT 'Rows by table; under export those of files. Unit: rows.',
    `rows_held` UInt64 COMMENT 'Rows that a legal hold kept. Unit: rows.',
    `rows_left` UInt64 COMMENT 'Rows that matched when it ended, as they came meanwhile. Unit: rows.',
    `duration_ms` UInt64 COMMENT 'How long it took. Unit: ms.'
)
ENGINE = {replicated}MergeTree
ORDER BY forgotten_ts
COMMENT 'One row per tcptrail forget that ended.';

CREATE TABLE IF NOT EXISTS {database}.forgotten_rows{local} {on_cluster}
(
    `day` Date COMMENT 'Day the row was filed under.' CODEC(ZSTD(1)),
    `stored_in` Enum8('tcp_events' = 1, 'tcp_batches' = 2, 'tcp_parked' = 3) COMMENT 'Table it was in.' CODEC(ZSTD(1)),
    `host_hash` UInt64 COMMENT 'sipHash64(host_id, boot_id); the boot is empty for what was parked.' CODEC(ZSTD(1)),
    `kernel_epoch` DateTime64(6, 'UTC') COMMENT 'When the kernel state that numbers the events was made. Unit: us.' CODEC(Delta(8), ZSTD(1)),
    `agent_epoch` DateTime64(6, 'UTC') COMMENT 'Run of the agent. Unit: us.' CODEC(Delta(8), ZSTD(1)),
    `batch_seq` UInt64 COMMENT 'Number of the batch within the run.' CODEC(Delta(8), ZSTD(1)),
    `batch_part` UInt32 COMMENT 'Part of the batch.' CODEC(T64, ZSTD(1)),
    `cpu` UInt16 COMMENT 'CPU whose counter numbered the event; 0 for a batch.' CODEC(T64, ZSTD(1)),
    `seq` UInt64 COMMENT 'Number of the event on its CPU; 0 for a batch.' CODEC(Delta(8), ZSTD(1)),
    `origin_hash` UInt64 COMMENT 'sipHash64(origin).' CODEC(ZSTD(1)),
    `origin_partition` UInt32 COMMENT 'Partition of the topic; 0 for a spool.' CODEC(T64, ZSTD(1)),
    `origin_offset` UInt64 COMMENT 'Offset of the message, or batch_seq of a spool.' CODEC(Delta(8), ZSTD(1)),
    `forget_id` UUID COMMENT 'Who took it, as in forgotten.' CODEC(ZSTD(1)),
    `forgotten_day` Date DEFAULT toDate(now('UTC')) COMMENT 'Day this was written, by which it ages.' CODEC(ZSTD(1)),
    INDEX ledger (origin_offset) TYPE minmax GRANULARITY 1
)
ENGINE = {replicated}ReplacingMergeTree
PARTITION BY day
ORDER BY (stored_in, host_hash, kernel_epoch, cpu, agent_epoch, batch_seq, batch_part, seq)
TTL forgotten_day + INTERVAL 7 DAY
SETTINGS ttl_only_drop_parts = 1
COMMENT 'One row per row that was forgotten: its number and where it came from, nothing of what it said. Written before the row goes, so it may be there still.';

CREATE TABLE IF NOT EXISTS {database}.holds{local} {on_cluster}
(
    `hold_id` String COMMENT 'Names it.',
    `kind` Enum8('all' = 1, 'address' = 2, 'host' = 3, 'uid' = 4) COMMENT 'What the held rows are chosen by.',
    `value` String COMMENT 'Address, name or id of the host, or uid; empty for all.',
    `reason` String COMMENT 'Why.',
    `author` String COMMENT 'Who asked for it.',
    `until` Date COMMENT 'Binds up to and with this day.',
    `made_ts` DateTime64(6, 'UTC') COMMENT 'Since when. Unit: us.',
    `made_by` LowCardinality(String) COMMENT 'Who entered it: user@machine.',
    `ended_ts` DateTime64(6, 'UTC') COMMENT 'When it was ended early; 1970 when it was not. Unit: us.',
    `ended_by` LowCardinality(String) COMMENT 'Who ended it: user@machine.',
    `version` UInt64 COMMENT 'The greatest counts.'
)
ENGINE = {replicated}ReplacingMergeTree(version)
ORDER BY hold_id
COMMENT 'One row per legal hold; read it with FINAL.';

-- Its key is named twice: the copy would take over the other's, which is not of this order.
CREATE TABLE IF NOT EXISTS {database}.held_events{local} {on_cluster} AS {database}.tcp_events{local}
ENGINE = {replicated}ReplacingMergeTree
PARTITION BY toYYYYMM(day)
PRIMARY KEY (host_id, boot_id, kernel_epoch, cpu, seq)
ORDER BY (host_id, boot_id, kernel_epoch, cpu, seq)
SETTINGS min_bytes_for_wide_part = 134217728, deduplicate_merge_projection_mode = 'drop'
COMMENT 'Rows of tcp_events under a legal hold, which do not age away; read it with FINAL.';

-- They would count a row twice that was copied twice.
ALTER TABLE {database}.held_events{local} {on_cluster}
    DROP PROJECTION IF EXISTS five_minutes,
    DROP PROJECTION IF EXISTS edges;
