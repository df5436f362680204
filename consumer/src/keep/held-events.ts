/**
 * Rows under a legal hold, copied into `held_events` before they age away.
 *
 * A copy of a row is the row: held_events is ordered by the row's identity, so a step that was killed is run again.
 */
import { type Form, localTable, onCluster } from '../form.ts';
import { type Asking, columnsOf } from './columns.ts';
import { bindingHolds, heldBy } from './holds.ts';
import { IN_SMALL_BLOCKS } from './small-blocks.ts';

type Client = Asking & Form & { statement(sql: string): Promise<void> };

interface Lease {
  /** Throws when another may hold it. */
  assertHeld(): void;
}

/** Rows that were copied, and rows that no hold binds any longer and were deleted. */
export interface HeldStep {
  readonly copied: number;
  readonly released: number;
}

const NAMES = 'host_id, boot_id, kernel_epoch, cpu, seq';
/** 128 bits of what names a row: rows of hours that differ are told apart in memory by it. */
const IDENTITY = `sipHash128(${NAMES})`;
/** Copies that are told apart at once: each takes up to 90 bytes of the server's memory. */
const ROWS_AT_ONCE_MAX = 2_000_000;

/**
 * Copies what is held and not copied yet, day by day, and lets go what no hold binds. Only one may at a time.
 * Throws CLICKHOUSE_*, and CONSUMER_PARTITION_LOST when the lease ended.
 */
export async function keepHeld(
  clickhouse: Client,
  lease: Lease,
  rowsAtOnceMax: number = ROWS_AT_ONCE_MAX,
): Promise<HeldStep> {
  const holds = await bindingHolds(clickhouse);
  const held = heldBy(holds, await columnsOf(clickhouse, 'tcp_events'));
  lease.assertHeld();
  const released = await release(clickhouse, held);
  let copied = 0;
  if (holds.length > 0)
    for (const day of await differingDays(clickhouse, held)) {
      const slices = Math.max(1, Math.ceil(day.copies / rowsAtOnceMax));
      for (let slice = 0; slice < slices; slice++) {
        lease.assertHeld();
        copied += await copy(clickhouse, `${held} AND cityHash64(${NAMES}) % ${slices} = ${slice}`, day);
      }
    }
  return { copied, released };
}

interface DifferingDay {
  /** As 2026-11-28, by which rows are filed. */
  readonly day: string;
  /** In UTC, of when it happened: those whose held rows are not those of the copy. */
  readonly hours: readonly number[];
  /** Rows that the copy has of these hours. */
  readonly copies: number;
}

/** As many rows on both sides may still be others. */
async function differingDays({ database, query }: Client, held: string): Promise<readonly DifferingDay[]> {
  const sums = `day, toHour(ts) AS hour, count() AS rows, sum(cityHash64(${NAMES})) AS checksum`;
  return await query<DifferingDay>(
    `SELECT day, groupArray(hour) AS hours, sum(copies.rows) AS copies
     FROM (SELECT ${sums} FROM ${database}.tcp_events WHERE ${held} GROUP BY day, hour) AS events
     LEFT JOIN
     (
         SELECT ${sums} FROM ${database}.held_events FINAL
         WHERE ${held} AND day >= (SELECT min(day) FROM ${database}.tcp_events)
         GROUP BY day, hour
     ) AS copies USING (day, hour)
     WHERE events.rows != copies.rows OR events.checksum != copies.checksum
     GROUP BY day ORDER BY day`,
  );
}

/** Gives how many rows the copy lacked. It may hold others that the table has no more. */
async function copy(clickhouse: Client, held: string, { day, hours }: DifferingDay): Promise<number> {
  const ofHours = `day = '${day}' AND toHour(ts) IN (${hours.join(', ')}) AND ${held}`;
  const lacking = `${ofHours} AND ${IDENTITY} NOT IN
    (SELECT ${IDENTITY} FROM ${localTable(clickhouse, 'held_events')} WHERE ${ofHours})`;
  const events = localTable(clickhouse, 'tcp_events');
  const [row] = await clickhouse.query<{ n: number }>(`SELECT count() AS n FROM ${events} WHERE ${lacking}`);
  const n = row?.n ?? 0;
  if (n > 0)
    await clickhouse.statement(
      `INSERT INTO ${localTable(clickhouse, 'held_events')} SELECT * FROM ${events} WHERE ${lacking} ${IN_SMALL_BLOCKS}`,
    );
  return n;
}

async function release(clickhouse: Client, held: string): Promise<number> {
  const { database } = clickhouse;
  const [row] = await clickhouse.query<{ n: number }>(
    `SELECT count() AS n FROM ${database}.held_events FINAL WHERE NOT ${held}`,
  );
  const released = row?.n ?? 0;
  if (released > 0)
    await clickhouse.statement(
      `ALTER TABLE ${localTable(clickhouse, 'held_events')} ${onCluster(clickhouse)} DELETE WHERE NOT ${held} SETTINGS mutations_sync = 2`,
    );
  return released;
}
