CREATE OR REPLACE VIEW {database}.completeness {on_cluster}
(
    host_id LowCardinality(String) COMMENT 'Machine id, unless configured.',
    boot_id LowCardinality(String) COMMENT 'Kernel boot id.',
    kernel_epoch DateTime64(6, 'UTC') COMMENT 'When the kernel state that numbers the events was made. Unit: us.',
    cpu UInt16 COMMENT 'CPU whose counter numbered the event.',
    numbered Int64 COMMENT 'Events the kernel numbered. Unit: events.',
    rows Int64 COMMENT 'Of these written to the spool. Unit: events.',
    rows_ahead Int64 COMMENT 'Written to the spool with higher numbers. Unit: events.',
    failed Int64 COMMENT 'Of these lost because a ring was full or busy, or their record could not be read. Unit: events.',
    folded Int64 COMMENT 'Of these folded into summaries. Unit: events.',
    filtered Int64 COMMENT 'Of these left out by a filter. Unit: events.',
    unspooled Int64 COMMENT 'Of these neither rows nor failed, folded or filtered: nobody told them. Unit: events.',
    spool_dropped Int64 COMMENT 'Spooled and dropped from a full spool. Unit: events.',
    stored Int64 COMMENT 'In the table, each number once. Unit: events.',
    doubled Int64 COMMENT 'Rows in the table beyond that; must be 0.',
    missing Int64 COMMENT 'rows - spool_dropped - stored. Unit: events.',
    waiting Int64 COMMENT 'Missing and still to come out of a topic. Unit: events.',
    parked Int64 COMMENT 'Missing in batches named in tcp_parked. Unit: events.',
    discarded Int64 COMMENT 'Missing in parked batches that a person gave up. Unit: events.',
    forgotten Int64 COMMENT 'Missing because tcptrail forget took them. Unit: events.',
    lost Int64 COMMENT 'Missing in batches that nothing names. Unit: events.',
    skipped_runs Int64 COMMENT 'Runs of the host\'s programs that the kernel skipped, so that they never were numbered; the same on each CPU.',
    account_ts DateTime64(6, 'UTC') COMMENT 'Time of the newest account.',
    verdict String COMMENT 'complete, forgotten, counted_loss (failed, unspooled or spool_dropped), or the worst of discarded, waiting, parked, lost, doubled, unexplained; expired when its beginning aged away.',
    exact Bool COMMENT 'Every numbered event is stored or named, none twice.',
    holes Array(String) COMMENT 'Places where rows are missing, at most 100.'
)
AS
WITH
    -- One row per batch and CPU account in it; `spooled` is what the agent had written up to and with this batch.
    accounts AS
    (
        SELECT
            host_id, boot_id, kernel_epoch, agent_epoch, batch_seq, batch_ts, origin,
            account.1 AS cpu, account.2 AS seq_last, account.3 AS rows, account.4 AS rows_ahead, account.5 AS failed,
            account.6 AS folded, account.7 AS filtered, account.8 AS spool_dropped,
            rows + rows_ahead AS spooled
        FROM {database}.tcp_batches
        ARRAY JOIN arrayZip(
            cpus.cpu, cpus.seq_last, cpus.rows, cpus.rows_ahead, cpus.failed,
            cpus.folded, cpus.filtered, cpus.spool_dropped) AS account
    ),
    -- One row per CPU and kernel epoch: its newest account.
    newest AS
    (
        SELECT
            host_id, boot_id, kernel_epoch, cpu,
            argMax(seq_last, (agent_epoch, batch_seq)) AS numbered,
            argMax(accounts.rows, (agent_epoch, batch_seq)) AS rows,
            argMax(accounts.rows_ahead, (agent_epoch, batch_seq)) AS rows_ahead,
            argMax(accounts.failed, (agent_epoch, batch_seq)) AS failed,
            argMax(accounts.folded, (agent_epoch, batch_seq)) AS folded,
            argMax(accounts.filtered, (agent_epoch, batch_seq)) AS filtered,
            argMax(accounts.spool_dropped, (agent_epoch, batch_seq)) AS spool_dropped,
            max(batch_ts) AS account_ts,
            max(agent_epoch) AS last_run,
            min((agent_epoch, batch_seq)).2 AS first_batch_seq
        FROM accounts
        GROUP BY host_id, boot_id, kernel_epoch, cpu
    ),
    -- One row per host and boot that has an account; without a boot for what was parked.
    hosts_known AS
    (
        SELECT DISTINCT host_id, boot_id, sipHash64(toString(host_id), toString(boot_id)) AS host_hash FROM newest
        UNION ALL
        SELECT DISTINCT host_id, '', sipHash64(toString(host_id), '') FROM newest
    ),
    -- One row per row of these that was forgotten, of a batch with its number alone; it may be in the table still.
    gone AS
    (
        SELECT stored_in, host_id, boot_id, kernel_epoch, cpu, seq, agent_epoch, batch_seq
        FROM {database}.forgotten_rows
        {global} INNER JOIN hosts_known USING (host_hash)
    ),
    -- One row per event in the table or forgotten.
    told AS
    (
        SELECT host_id, boot_id, kernel_epoch, cpu, seq, agent_epoch, batch_seq, true AS here FROM {database}.tcp_events
        UNION ALL
        SELECT host_id, boot_id, kernel_epoch, cpu, seq, agent_epoch, batch_seq, false FROM gone WHERE stored_in = 'tcp_events'
    ),
    -- One row per CPU and kernel epoch: its events in the table, and those that were forgotten.
    present AS
    (
        SELECT
            host_id, boot_id, kernel_epoch, cpu,
            uniqExactIf(seq, here AND seq <= numbered) AS stored,
            toInt64(uniqExactIf(seq, seq <= numbered)) - toInt64(stored) AS forgotten,
            toInt64(countIf(here)) - toInt64(stored) - toInt64(uniqExactIf(seq, here AND seq > numbered)) AS doubled
        FROM told
        {global} LEFT JOIN newest USING (host_id, boot_id, kernel_epoch, cpu)
        GROUP BY host_id, boot_id, kernel_epoch, cpu
    ),
    -- One row per batch and CPU: what the agent said it had spooled, and which rows of the batch are here or forgotten.
    batches AS
    (
        SELECT
            host_id, boot_id, kernel_epoch, cpu, agent_epoch, batch_seq,
            max(said) AS has_account, max(spooled) AS spooled, max(origin) AS origin, sum(here) AS here
        FROM
        (
            SELECT host_id, boot_id, kernel_epoch, cpu, agent_epoch, batch_seq, 1 AS said, toInt64(spooled) AS spooled, toString(origin) AS origin, 0 AS here
            FROM accounts
            UNION ALL
            SELECT host_id, boot_id, kernel_epoch, cpu, agent_epoch, batch_seq, 0, 0, '', toInt64(uniqExact(seq))
            FROM told
            GROUP BY host_id, boot_id, kernel_epoch, cpu, agent_epoch, batch_seq
        )
        GROUP BY host_id, boot_id, kernel_epoch, cpu, agent_epoch, batch_seq
    ),
    -- One row per batch and CPU: spooled less stored and forgotten up to and with it. It grows where batches are missing.
    deficits AS
    (
        SELECT
            *,
            spooled - sum(here) OVER (PARTITION BY host_id, boot_id, kernel_epoch, cpu ORDER BY agent_epoch, batch_seq) AS deficit
        FROM batches
    ),
    -- One row per batch that is parked, wherever it was; discarded when a person gave up each of its copies, or had it forgotten.
    set_aside AS
    (
        SELECT host_id, agent_epoch, batch_seq, min(decision.is_discarded) AS is_discarded
        FROM {database}.tcp_parked AS parked FINAL
        {global} LEFT JOIN
        (
            SELECT origin, origin_partition, origin_offset, argMax(outcome, decided_ts) = 'discarded' AS is_discarded
            FROM {database}.tcp_parked_outcomes
            GROUP BY origin, origin_partition, origin_offset
        ) AS decision USING (origin, origin_partition, origin_offset)
        GROUP BY host_id, agent_epoch, batch_seq
        UNION ALL
        SELECT DISTINCT host_id, agent_epoch, batch_seq, true FROM gone WHERE stored_in = 'tcp_parked'
    ),
    -- One row per batch number known from the table or from being parked, with what its run has shown before it.
    numbers AS
    (
        SELECT
            host_id, agent_epoch, batch_seq, is_stored,
            batch_seq - count() OVER (PARTITION BY host_id, agent_epoch ORDER BY batch_seq) AS nameless,
            sum(NOT is_stored) OVER (PARTITION BY host_id ORDER BY agent_epoch, batch_seq) AS parked_before,
            sum(NOT is_stored AND NOT given_up) OVER (PARTITION BY host_id ORDER BY agent_epoch, batch_seq) AS kept_before
        FROM
        (
            SELECT host_id, agent_epoch, batch_seq, max(here) AS is_stored, max(is_discarded) AS given_up
            FROM
            (
                SELECT host_id, agent_epoch, batch_seq, true AS here, toUInt8(0) AS is_discarded FROM {database}.tcp_batches
                UNION ALL
                SELECT host_id, agent_epoch, batch_seq, true, toUInt8(0) FROM gone WHERE stored_in = 'tcp_batches'
                UNION ALL
                SELECT host_id, agent_epoch, batch_seq, false, is_discarded FROM set_aside
            )
            GROUP BY host_id, agent_epoch, batch_seq
        )
    ),
    -- One row per account, with the account before it.
    steps AS
    (
        SELECT
            deficit.*, number.nameless, number.parked_before, number.kept_before,
            lagInFrame(deficit.deficit, 1, 0) OVER before AS deficit_before,
            lagInFrame(deficit.agent_epoch, 1, toDateTime64(0, 6, 'UTC')) OVER before AS epoch_before,
            lagInFrame(deficit.batch_seq, 1, 0) OVER before AS seq_before,
            lagInFrame(number.nameless, 1, 0) OVER before AS nameless_before,
            lagInFrame(number.parked_before, 1, 0) OVER before AS parked_until,
            lagInFrame(number.kept_before, 1, 0) OVER before AS kept_until
        FROM deficits AS deficit
        INNER JOIN numbers AS number USING (host_id, agent_epoch, batch_seq)
        WHERE has_account
        WINDOW before AS (
            PARTITION BY host_id, boot_id, kernel_epoch, cpu ORDER BY agent_epoch, batch_seq
            ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
    ),
    -- One row per place where rows are missing, and why. Parked when every number in it is, discarded when all of these are; a spool is read in order, so what it passed over is lost; a topic may still bring it.
    holes AS
    (
        SELECT
            *,
            deficit - deficit_before AS rows,
            nameless - if(agent_epoch = epoch_before, nameless_before, 0) AS nameless_here,
            multiIf(
                nameless_here = 0 AND kept_before > kept_until, 'parked',
                nameless_here = 0 AND parked_before > parked_until, 'discarded',
                startsWith(origin, 'spool:'), 'lost',
                'waiting') AS fate,
            concat(fate, ': ', toString(rows), ' rows between batches ',
                toString(toUnixTimestamp64Micro(epoch_before)), '/', toString(seq_before), ' and ',
                toString(toUnixTimestamp64Micro(agent_epoch)), '/', toString(batch_seq)) AS hole
        FROM steps
        WHERE deficit > deficit_before
    ),
    -- One row per CPU and kernel epoch: rows missing, by fate.
    fates AS
    (
        SELECT
            host_id, boot_id, kernel_epoch, cpu,
            sumIf(holes.rows, fate = 'waiting') AS waiting,
            sumIf(holes.rows, fate = 'parked') AS parked,
            sumIf(holes.rows, fate = 'discarded') AS discarded,
            sumIf(holes.rows, fate = 'lost') AS passed_over,
            groupArray(100)(hole) AS holes_named,
            max(toUnixTimestamp(epoch_before) = 0) AS lacks_beginning
        FROM holes
        GROUP BY host_id, boot_id, kernel_epoch, cpu
    ),
    -- One row per run of an agent whose last batches are parked: how many rows they held nobody knows.
    tails AS
    (
        SELECT
            host_id, agent_epoch AS last_run, max(parked.batch_seq) AS parked_seq,
            maxIf(parked.batch_seq, NOT parked.is_discarded) <= max(stored_seq) AS is_discarded
        FROM set_aside AS parked
        LEFT JOIN
        (
            SELECT host_id, agent_epoch, max(batch_seq) AS stored_seq
            FROM {database}.tcp_batches
            GROUP BY host_id, agent_epoch
        ) AS run USING (host_id, agent_epoch)
        GROUP BY host_id, agent_epoch
        HAVING parked_seq > max(stored_seq)
    ),
    -- One row per kernel epoch: what the kernel never numbered.
    skips AS
    (
        SELECT
            host_id, boot_id, kernel_epoch,
            argMax(arraySum(programs.skipped_runs), (agent_epoch, batch_seq)) AS skipped_runs
        FROM {database}.tcp_batches
        WHERE notEmpty(programs.program)
        GROUP BY host_id, boot_id, kernel_epoch
    ),
    -- One row: the oldest day that did not age away yet.
    kept AS
    (
        SELECT min(day) AS oldest_day
        FROM
        (
            SELECT day FROM {database}.tcp_batches
            UNION ALL
            SELECT day FROM {database}.forgotten_rows WHERE stored_in = 'tcp_batches'
        )
    )
SELECT
    host_id, boot_id, kernel_epoch, cpu,
    toInt64(newest.numbered) AS numbered,
    toInt64(newest.rows) AS rows,
    toInt64(newest.rows_ahead) AS rows_ahead,
    toInt64(newest.failed) AS failed,
    toInt64(newest.folded) AS folded,
    toInt64(newest.filtered) AS filtered,
    numbered - rows - failed - folded - filtered AS unspooled,
    toInt64(newest.spool_dropped) AS spool_dropped,
    toInt64(present.stored) AS stored,
    present.doubled AS doubled,
    rows - spool_dropped - stored AS missing,
    fates.waiting AS waiting,
    fates.parked AS parked,
    fates.discarded AS discarded,
    present.forgotten AS forgotten,
    greatest(0, fates.passed_over - spool_dropped) AS lost,
    toInt64(skips.skipped_runs) AS skipped_runs,
    account_ts,
    multiIf(
        -- A later run counts its batches from 1 again.
        (first_batch_seq > 1 OR fates.lacks_beginning) AND toDate(kernel_epoch) < oldest_day, 'expired',
        doubled != 0, 'doubled',
        lost > 0, 'lost',
        parked > 0 OR (tails.parked_seq > 0 AND NOT tails.is_discarded), 'parked',
        waiting > 0, 'waiting',
        missing != discarded + forgotten OR unspooled < 0, 'unexplained',
        discarded > 0 OR tails.parked_seq > 0, 'discarded',
        failed + unspooled + spool_dropped > 0, 'counted_loss',
        forgotten > 0, 'forgotten',
        'complete') AS verdict,
    toBool(
        verdict != 'expired' AND doubled = 0 AND unspooled >= 0 AND tails.parked_seq = 0
        AND missing = waiting + parked + discarded + lost + forgotten) AS exact,
    arrayConcat(
        fates.holes_named,
        if(tails.parked_seq > 0,
            [concat(if(tails.is_discarded, 'discarded', 'parked'), ': the end of run ', toString(toUnixTimestamp64Micro(last_run)), ', up to batch ', toString(tails.parked_seq))],
            [])
    ) AS holes
FROM newest
LEFT JOIN present USING (host_id, boot_id, kernel_epoch, cpu)
LEFT JOIN fates USING (host_id, boot_id, kernel_epoch, cpu)
LEFT JOIN skips USING (host_id, boot_id, kernel_epoch)
LEFT JOIN tails USING (host_id, last_run)
CROSS JOIN kept
COMMENT 'One row per CPU and kernel epoch: every numbered event is in the table or named here. Covers the days that did not age away.';
