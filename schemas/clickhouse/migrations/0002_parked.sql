-- What stands in braces is filled in by consumer/src/form.ts.

CREATE TABLE IF NOT EXISTS {database}.tcp_parked{local} {on_cluster}
(
    `origin` LowCardinality(String) COMMENT 'Transport the batch came by.',
    `origin_partition` UInt32 COMMENT 'Partition of the topic; 0 for a spool.',
    `origin_offset` UInt64 COMMENT 'Offset of the message, or batch_seq of a spool.',
    `host_id` LowCardinality(String) COMMENT 'Host of the batch; empty when it could not be read.',
    `agent_epoch` DateTime64(6, 'UTC') COMMENT 'Run of the agent. Unit: us.',
    `batch_seq` UInt64 COMMENT 'Number of the batch within the run.',
    `reason` LowCardinality(String) COMMENT 'Error code.',
    `detail` String COMMENT 'What is wrong, or the file that holds the bytes.',
    `parked_ts` DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC') COMMENT 'When it was parked. Unit: us.',
    `parked_by` LowCardinality(String) COMMENT 'Machine whose set-aside folder holds the bytes.'
)
ENGINE = {replicated}ReplacingMergeTree
ORDER BY (origin, origin_partition, origin_offset)
COMMENT 'One row per batch that could not be stored; read it with FINAL.';
