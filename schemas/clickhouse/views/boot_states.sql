CREATE OR REPLACE VIEW {database}.boot_states {on_cluster}
(
    host_id LowCardinality(String) COMMENT 'Machine id, unless configured.',
    boot_id LowCardinality(String) COMMENT 'Kernel boot id.',
    kernel_epoch DateTime64(6, 'UTC') COMMENT 'When the kernel state was made. Unit: us.',
    state_vouched_ts DateTime64(6, 'UTC') COMMENT 'Its last heartbeat: until then it would have told of an end. 1970: none. Unit: us.',
    newest_state DateTime64(6, 'UTC') COMMENT 'When the newest kernel state of the boot was made. Unit: us.',
    boot_vouched_ts DateTime64(6, 'UTC') COMMENT 'Last heartbeat of any state of the boot. Unit: us.',
    boot_told_ts DateTime64(6, 'UTC') COMMENT 'When a state of the boot last had told all that is older than itself: what is told of only before has ended. 1970: never. Unit: us.',
    is_now Bool COMMENT 'The host runs this boot.'
)
AS
WITH
    -- One row per kernel state, which runs of an agent share: until when it was vouched for, and when all that was older was told.
    states AS
    (
        SELECT
            host_id, boot_id, kernel_epoch,
            -- What is left of a state is shipped by a later one, and vouches for nothing.
            maxIf(batch_ts, heartbeat) AS state_vouched_ts, minIf(batch_ts, older_told) AS state_told_ts
        FROM {database}.tcp_batches
        GROUP BY host_id, boot_id, kernel_epoch
    )
SELECT
    host_id, boot_id, kernel_epoch, state_vouched_ts,
    max(kernel_epoch) OVER boot AS newest_state,
    max(state_vouched_ts) OVER boot AS boot_vouched_ts,
    max(state_told_ts) OVER boot AS boot_told_ts,
    boot_id = argMax(boot_id, state_vouched_ts) OVER (PARTITION BY host_id) AS is_now
FROM states
WINDOW boot AS (PARTITION BY host_id, boot_id)
COMMENT 'One row per kernel state of a boot: until when it and its boot were vouched for, and whether the host still runs it.';
