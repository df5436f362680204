/** `tcptrail hold`: enters, lists and ends legal holds. */
import { randomBytes } from 'node:crypto';
import { columnsOf } from '@tcptrail/consumer/keep/columns.ts';
import { type HeldStep, keepHeld } from '@tcptrail/consumer/keep/held-events.ts';
import { BINDS, type Hold, heldBy } from '@tcptrail/consumer/keep/holds.ts';
import { withKeepingLease } from '@tcptrail/consumer/keeping.ts';
import type { ClickHouse } from '@tcptrail/consumer/store/clickhouse.ts';
import { insertBlock } from '@tcptrail/consumer/store/insert.ts';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { cliError } from '../errors.ts';
import { assertKeeping, type SubjectOptions, subjectOf } from '../forget/forget.ts';
import { type StoreOptions, withStore } from '../store.ts';
import { plural } from '../terminal/human.ts';
import { styleFor } from '../terminal/style.ts';
import { createTable } from '../terminal/table.ts';
import { who } from '../who.ts';

export interface AddHoldOptions extends StoreOptions, SubjectOptions {
  readonly all?: boolean;
  readonly reason: string;
  readonly author: string;
  /** As 2026-11-28. */
  readonly until: string;
  readonly json?: boolean;
}

/** For a consumer that closes a day, or a forget. */
const LEASE_WAIT_MS_MAX = 120_000;

/** A row of `holds`. */
interface StoredHold extends Hold {
  readonly made_ts: string;
  readonly made_by: string;
  readonly ended_ts: string;
  readonly ended_by: string;
  readonly version: number;
}

/** Throws CONFIG_*, CLICKHOUSE_*, ORIGIN_BUSY, CLI_USAGE, CLI_HOLD_NOT_COPIED. */
export async function addHoldCommand(options: AddHoldOptions): Promise<void> {
  const subject = subjectOf(options);
  const usage = (problem: string): Error => cliError('CLI_USAGE', [problem, 'tcptrail hold add']);
  if ((subject === undefined) === (options.all !== true))
    throw usage('give one of --address, --host, --uid and --all');
  if (options.until < new Date().toISOString().slice(0, 10)) throw usage(`${options.until} is over`);
  const now = timeNow();
  const hold: StoredHold = {
    hold_id: randomBytes(4).toString('hex'),
    kind: subject?.kind ?? 'all',
    value: subject?.value ?? '',
    reason: options.reason,
    author: options.author,
    until: options.until,
    made_ts: now,
    made_by: who(),
    ended_ts: '1970-01-01 00:00:00.000',
    ended_by: '',
    version: Date.now(),
  };
  await withStore(options, async ({ clickhouse }) => {
    await assertKeeping(clickhouse);
    const copied = await withKeepingLease(clickhouse, LEASE_WAIT_MS_MAX, async (lease) => {
      await write(clickhouse, hold);
      return await copiedOf(hold, keepHeld(clickhouse, lease));
    });
    process.stdout.write(
      options.json
        ? `${JSON.stringify({ hold_id: hold.hold_id, rows_copied: copied })}\n`
        : `hold ${hold.hold_id} binds until ${hold.until}; ${plural(copied, 'row')} copied into held_events\n`,
    );
  });
}

/** It binds from when it is written, whatever becomes of the copy. */
async function copiedOf({ hold_id: id }: StoredHold, step: Promise<HeldStep>): Promise<number> {
  try {
    return (await step).copied;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw cliError('CLI_HOLD_NOT_COPIED', [id, error.message], { cause: error });
  }
}

export interface ListHoldsOptions extends StoreOptions {
  readonly all?: boolean;
  readonly json?: boolean;
}

/** Throws CONFIG_*, CLICKHOUSE_*. */
export async function listHoldsCommand(options: ListHoldsOptions): Promise<void> {
  await withStore(options, async ({ clickhouse }) => {
    await assertKeeping(clickhouse);
    const columns = await columnsOf(clickhouse, 'held_events');
    const listed: (StoredHold & { binds: boolean; rows: number })[] = [];
    for (const hold of await storedHolds(clickhouse)) {
      if (!hold.binds && !options.all) continue;
      const [row] = await clickhouse.query<{ n: number }>(
        `SELECT count() AS n FROM ${clickhouse.database}.held_events FINAL WHERE ${heldBy([hold], columns)}`,
      );
      listed.push({ ...hold, rows: row?.n ?? 0 });
    }
    if (options.json)
      process.stdout.write(listed.map(({ version, ...hold }) => `${JSON.stringify(hold)}\n`).join(''));
    else process.stdout.write(tableOf(listed));
  });
}

/** Throws CONFIG_*, CLICKHOUSE_*, ORIGIN_BUSY, CLI_NO_HOLD. */
export async function endHoldCommand(id: string, options: StoreOptions): Promise<void> {
  await withStore(options, async ({ clickhouse }) => {
    await assertKeeping(clickhouse);
    const released = await withKeepingLease(clickhouse, LEASE_WAIT_MS_MAX, async (lease) => {
      const hold = (await storedHolds(clickhouse)).find(({ hold_id, binds }) => hold_id === id && binds);
      if (!hold) throw cliError('CLI_NO_HOLD', [id]);
      const { binds, ...stored } = hold;
      await write(clickhouse, { ...stored, ended_ts: timeNow(), ended_by: who(), version: hold.version + 1 });
      return (await keepHeld(clickhouse, lease)).released;
    });
    process.stdout.write(`hold ${id} has ended; ${plural(released, 'row')} deleted from held_events\n`);
  });
}

async function storedHolds({
  database,
  query,
}: ClickHouse): Promise<readonly (StoredHold & { readonly binds: boolean })[]> {
  return await query<StoredHold & { binds: boolean }>(
    `SELECT *, toBool(${BINDS}) AS binds FROM ${database}.holds FINAL ORDER BY made_ts, hold_id`,
  );
}

async function write(clickhouse: ClickHouse, hold: StoredHold): Promise<void> {
  await insertBlock(clickhouse, {
    table: 'holds',
    format: 'JSONEachRow',
    body: Buffer.from(`${JSON.stringify(hold)}\n`),
    logComment: 'tcptrail hold',
  });
}

const timeNow = (): string => new Date().toISOString().replace('T', ' ').replace('Z', '');

function tableOf(
  holds: readonly (StoredHold & { readonly rows: number; readonly binds: boolean })[],
): string {
  if (holds.length === 0) return 'no holds\n';
  const names = ['id', 'what', 'until', 'author', 'reason', 'rows'];
  const columns = names.map((name) => ({ name, type: name === 'rows' ? 'UInt64' : 'String' }));
  const table = createTable({ columns, style: styleFor(process.stdout) });
  const rows = holds.map(({ hold_id, kind, value, until, author, reason, rows: n, binds }) =>
    table.push([hold_id, `${kind} ${value}`.trim(), binds ? until : 'ended', author, reason, String(n)]),
  );
  return `${rows.join('')}${table.end()}`;
}
