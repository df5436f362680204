/**
 * Writes the days that are over into the tiers, which outlive the events.
 *
 * A day is written under a new version, which nobody reads until the row of `tier_days` is there that names it: a kill
 * between the two leaves rows that the next run deletes. That row says how many events were summed; while the table
 * holds another number, `closed_days` leaves the day out, readers sum its events themselves, and the next run writes it
 * again. So what views say of a day is always what its events say (docs/decisions/0029).
 */
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

type Tier = keyof typeof TIERS;

const SUMS =
  'events, connections, failures, half_open, resets, bytes_sent, bytes_received, data_segs_out, total_retrans, duration_us, handshake_us, handshakes';
const KEYS = 'bin, day, host_id, host_name, executable, role, service_port, own, verdict, errno';
const EDGE =
  'day, host_id, host_name, executable, role, peer_address, service_port, own, first_ts, last_ts, events, connections, failures, bytes_sent, bytes_received';

/** By tier: columns of its table, and where the view that reads it gets a day's. */
const TIERS = {
  '5m': {
    columns: `${KEYS}, ${SUMS}, rtt_histogram, peers`,
    select: `${KEYS}, ${SUMS}, rtt_histogram, peers FROM {database}.connections_5m WHERE day = {day:Date}`,
  },
  '1h': {
    columns: `${KEYS}, ${SUMS}, rtt_histogram, peers`,
    select: `${KEYS}, ${SUMS.split(', ')
      .map((name) => `sum(hour.${name})`)
      .join(', ')}, sumForEach(hour.rtt_histogram), uniqCombinedMergeState(12)(hour.peers)
      FROM {database}.connections_1h AS hour WHERE day = {day:Date} GROUP BY ${KEYS}`,
  },
  edges: { columns: EDGE, select: `${EDGE} FROM {database}.edges WHERE day = {day:Date}` },
} as const;

/** Events begin to age away on the seventh day, by the clock of the server; until then the table has all of a day. */
export const WHOLE_DAYS = 5;
/** After midnight, for what is under way. */
const OVER_AFTER_MS = 2 * 3_600_000;
const DAY_MS = 86_400_000;
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
}

/** Gives what was written. Rejects with CLICKHOUSE_*, and with CONSUMER_PARTITION_LOST when the lease ended. */
export async function closeDays(
  clickhouse: TierClient,
  { nowMs, lease }: CloseDaysOptions,
): Promise<readonly ClosedDay[]> {
  const from = dayOf(nowMs - WHOLE_DAYS * DAY_MS);
  const before = dayOf(nowMs - OVER_AFTER_MS);
  const written: ClosedDay[] = [];
  for (const tier of Object.keys(TIERS) as Tier[]) {
    lease.assertHeld();
    await deleteUnread(clickhouse, tier, from);
    for (const day of await openDays(clickhouse, { tier, from, before })) {
      lease.assertHeld();
      written.push(await write(clickhouse, { tier, day, lease }));
    }
  }
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
  { tier, day, lease }: { readonly tier: Tier; readonly day: string; readonly lease: Lease },
): Promise<ClosedDay> {
  const { database } = clickhouse;
  const { columns, select } = TIERS[tier];
  const [now] = await clickhouse.query<{ version: number }>(
    `SELECT greatest(toUnixTimestamp64Micro(now64(6)), max(version) + 1) AS version FROM ${database}.tier_days`,
  );
  const version = now?.version ?? 0;
  await clickhouse.statement(
    `INSERT INTO ${localTable(clickhouse, `tier_${tier}`)} (version, ${columns})
     SELECT ${version}, ${select.replaceAll('{database}', database).replaceAll('{day:Date}', `toDate('${day}')`)} ${SETTINGS}`,
  );
  const [sum] = await clickhouse.query<{ rows: number }>(
    `SELECT sum(events) AS rows FROM ${database}.tier_${tier} WHERE day = {day:Date} AND version = ${version}`,
    { day },
  );
  const rows = sum?.rows ?? 0;
  // Another may have begun since, and taken these for rows that nobody reads.
  lease.assertHeld();
  await clickhouse.statement(
    `INSERT INTO ${localTable(clickhouse, 'tier_days')} (tier, day, version, rows) VALUES ('${tier}', '${day}', ${version}, ${rows})`,
  );
  return { tier, day, rows };
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

/** The UTC day. */
function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
