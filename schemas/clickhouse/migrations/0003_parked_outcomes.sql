-- What stands in braces is filled in by consumer/src/form.ts.

CREATE TABLE IF NOT EXISTS {database}.tcp_parked_outcomes{local} {on_cluster}
(
    `origin` LowCardinality(String) COMMENT 'Transport the batch came by, as in tcp_parked.',
    `origin_partition` UInt32 COMMENT 'Partition of the topic; 0 for a spool.',
    `origin_offset` UInt64 COMMENT 'Offset of the message, or batch_seq of a spool.',
    `outcome` Enum8('retried' = 1, 'discarded' = 2) COMMENT 'retried: its rows are stored; discarded: given up.',
    `decided_ts` DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC') COMMENT 'When. Unit: us.',
    `decided_by` LowCardinality(String) COMMENT 'Who: user@machine.',
    `why` String COMMENT 'The reason given.'
)
ENGINE = {replicated}MergeTree
ORDER BY (origin, origin_partition, origin_offset, decided_ts)
COMMENT 'One row per decision of a person on a parked batch; the newest counts.';
