/**
 * Writes the days that are over into the tiers, which outlive the events.
 *
 * A day is written under a new version, which nobody reads until the row of `tier_days` is there that names it: a kill
 * between the two leaves rows that the next run deletes. That row says how many events were summed; while the table
 * holds another number, `closed_days` leaves the day out, readers sum its events themselves, and the next run writes it
 * again. So what views say of a day is always what its events say (docs/decisions/0029).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { columnsOf, TIERS, type Tier as TierForm } from '@tcptrail/schemas/tiers.ts';
import { type Form, localTable, onCluster } from '../form.ts';

/** As much of a ClickHouse as is needed here. */
export interface TierClient extends Form {
  query<T>(sql: string, params?: Record<string, unknown>): Promise<T[]>;
  statement(sql: string): Promise<void>;
}

export interface ClosedDay {
  readonly tier: Tier;
  /** YYYY-MM-DD. */
  readonly day: string;
  /** Events that are summed in it. */
  readonly rows: number;
}

type Tier = TierForm['name'];

/** As many days ago by the server's own midnight: one later events begin to age away. As in closed_days. */
const REACH_DAYS = 6;
/** After midnight, for what is under way. */
const OVER_AFTER_MS = 2 * 3_600_000;
/** A day of a large fleet needs not fit into memory. */
const SETTINGS =
  'SETTINGS max_bytes_before_external_group_by = 300000000, max_bytes_before_external_sort = 300000000, insert_deduplicate = 0';

interface Lease {
  /** Throws when another may hold it. */
  assertHeld(): void;
}

export interface CloseDaysOptions {
  readonly nowMs: number;
  /** Only one may write at a time. */
  readonly lease: Lease;
  /**
   * Between writing a day and naming it: a question that had looked at the tier before, and then at its days, would
   * find a day named that it does not have.
   */
  readonly settleMs?: number;
}

/**
 * Gives what was written. A tier that cannot be written does not keep the others from it; then rejects with CLICKHOUSE_*,
 * or with CONSUMER_PARTITION_LOST when the lease ended.
 */
export async function closeDays(
  clickhouse: TierClient,
  { nowMs, lease, settleMs = 0 }: CloseDaysOptions,
): Promise<readonly ClosedDay[]> {
  const [days] = await clickhouse.query<{ from: string }>(
    `SELECT toDate(toDateTime({now:UInt32})) - ${REACH_DAYS} AS from`,
    { now: Math.floor(nowMs / 1000) },
  );
  if (!days) throw new Error('a SELECT without a table gives a row');
  const { from } = days;
  const before = dayOf(nowMs - OVER_AFTER_MS);
  const written: ClosedDay[] = [];
  const failures: unknown[] = [];
  for (const form of TIERS) {
    const tier = form.name;
    try {
      lease.assertHeld();
      await deleteUnread(clickhouse, tier, from);
      await openUntrue(clickhouse, tier, from);
      for (const day of await openDays(clickhouse, { tier, from, before })) {
        lease.assertHeld();
        written.push(await write(clickhouse, { form, day, lease, settleMs }));
      }
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
  return written;
}

/** Days that are over and whose sums are not those of the events. */
async function openDays(
  { query, database }: TierClient,
  at: { readonly tier: Tier; readonly from: string; readonly before: string },
): Promise<readonly string[]> {
  const days = await query<{ day: string }>(
    `SELECT DISTINCT day FROM ${database}.tcp_events
     WHERE day >= {from:Date} AND day < {before:Date}
         AND day NOT IN (SELECT day FROM ${database}.closed_days WHERE tier = {tier:String})
     ORDER BY day`,
    at,
  );
  return days.map(({ day }) => day);
}

async function write(
  clickhouse: TierClient,
  at: { readonly form: TierForm; readonly day: string; readonly lease: Lease; readonly settleMs: number },
): Promise<ClosedDay> {
  const { form, day, lease, settleMs } = at;
  const tier = form.name;
  const { database } = clickhouse;
  const [now] = await clickhouse.query<{ version: number }>(
    `SELECT greatest(toUnixTimestamp64Micro(now64(6)), max(version) + 1) AS version FROM ${database}.tier_days`,
  );
  const version = now?.version ?? 0;
  await clickhouse.statement(
    `INSERT INTO ${localTable(clickhouse, `tier_${tier}`)} (version, ${columnsOf(form)
      .map(({ name }) => name)
      .join(', ')})
     SELECT ${version}, ${sumsOfDay(form, database, day)} ${SETTINGS}`,
  );
  const [sum] = await clickhouse.query<{ rows: number }>(
    `SELECT sum(events) AS rows FROM ${database}.tier_${tier} WHERE day = {day:Date} AND version = ${version}`,
    { day },
  );
  const rows = sum?.rows ?? 0;
  if (settleMs > 0) await sleep(settleMs);
  // Another may have begun since, and taken these for rows that nobody reads: they are named only as long as they are there.
  lease.assertHeld();
  await clickhouse.statement(
    `INSERT INTO ${localTable(clickhouse, 'tier_days')} (tier, day, version, rows)
     SELECT '${tier}', '${day}', ${version}, sum(events) AS summed FROM ${database}.tier_${tier}
     WHERE day = '${day}' AND version = ${version} HAVING summed = ${rows}`,
  );
  return { tier, day, rows };
}

/** What is selected for the day: a coarser tier's view has rows of the finer bins. */
function sumsOfDay({ keys, sums, view, binOfFiner }: TierForm, database: string, day: string): string {
  const keyNames = keys.map(({ name }) => name);
  const from = `FROM ${database}.${view} AS finer WHERE day = '${day}'`;
  if (!binOfFiner) return `${[...keyNames, ...sums.map(({ name }) => name)].join(', ')} ${from}`;
  const added = sums.map(({ name, again }) => `${again}(finer.${name})`);
  return `${[...keyNames, ...added].join(', ')} ${from} GROUP BY ${keyNames.join(', ')}`;
}

/** Rows of versions that do not count: of a run that was killed, or of a day that was written again. */
async function deleteUnread(clickhouse: TierClient, tier: Tier, from: string): Promise<void> {
  const { query, statement, database } = clickhouse;
  const table = `${localTable(clickhouse, `tier_${tier}`)} ${onCluster(clickhouse)}`;
  const versions = await query<{ day: string; version: number }>(
    `SELECT day, version FROM ${database}.tier_${tier} WHERE day >= {from:Date}
     GROUP BY day, version
     HAVING (day, version) NOT IN
         (SELECT day, max(version) FROM ${database}.tier_days WHERE tier = {tier:String} GROUP BY day)`,
    { tier, from },
  );
  for (const { day, version } of versions)
    await statement(`DELETE FROM ${table} WHERE day = '${day}' AND version = ${version}`);
}

/** Opens days of which the tier does not hold what was named: an INSERT of a runner that had lost the lock came late. */
async function openUntrue(clickhouse: TierClient, tier: Tier, from: string): Promise<void> {
  const { query, statement, database } = clickhouse;
  const days = await query<{ day: string }>(
    `SELECT named.day AS day
     FROM
     (
         SELECT writing.day AS day, max(writing.version) AS version, argMax(writing.rows, writing.version) AS rows
         FROM ${database}.tier_days AS writing WHERE tier = {tier:String} AND day >= {from:Date} GROUP BY writing.day
     ) AS named
     LEFT JOIN
     (
         SELECT day, version, sum(events) AS summed FROM ${database}.tier_${tier} WHERE day >= {from:Date} GROUP BY day, version
     ) AS held USING (day, version)
     WHERE named.rows != held.summed`,
    { tier, from },
  );
  for (const { day } of days)
    await statement(
      `DELETE FROM ${localTable(clickhouse, 'tier_days')} ${onCluster(clickhouse)} WHERE tier = '${tier}' AND day = '${day}'`,
    );
}

/** The UTC day. */
function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
