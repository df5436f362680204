/** `tcptrail forget`: removes rows of an address, a host or a user wherever they are stored, and says what it did. */
import { randomUUID } from 'node:crypto';
import { bindingHolds, columnsOf, type Hold } from '@tcptrail/consumer/keep/holds.ts';
import type { Subject } from '@tcptrail/consumer/keep/subject.ts';
import type { ClickHouse } from '@tcptrail/consumer/store/clickhouse.ts';
import { cliError } from '../errors.ts';
import { withKeepingLock } from '../keeping-lock.ts';
import { type Store, type StoreOptions, withStore } from '../store.ts';
import { ask } from '../terminal/ask.ts';
import { plural } from '../terminal/human.ts';
import { forgetInExports } from './exports.ts';
import { countMatches, type Matched, matchesOf, type Wish, withHostIds } from './matches.ts';
import { notReached } from './not-reached.ts';
import { recordForgotten } from './record.ts';
import { removeRows } from './remove-rows.ts';
import { printForgotten, printPlan } from './report.ts';
import { closeDays, closedAmong, openDays } from './tiers.ts';

export interface ForgetOptions extends StoreOptions, SubjectOptions {
  /** As 2026-11-28. */
  readonly before?: string;
  readonly export?: readonly string[];
  readonly exceptHeld?: boolean;
  readonly plan?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

export interface SubjectOptions {
  readonly address?: string;
  readonly host?: string;
  readonly uid?: number;
}

/** Rows that come while it runs are taken in the next round. */
const ROUNDS_MAX = 3;

/** Exit code 1 when rows are left. Throws CONFIG_*, CLICKHOUSE_*, CLI_FORGET_*, CLI_KEEPING_BUSY, CLI_NOT_CONFIRMED, CLI_FILE_*, CLI_NO_EXPORT. */
export async function forgetCommand(options: ForgetOptions): Promise<void> {
  const subject = subjectOf(options);
  if (!subject) throw cliError('CLI_USAGE', ['give one of --address, --host and --uid', 'tcptrail forget']);
  await withStore(options, async (store) => {
    await assertKeeping(store.clickhouse);
    const wish = { subject: await withHostIds(store.clickhouse, subject), before: options.before };
    await withKeepingLock(store.clickhouse, () => forget(store, wish, options));
  });
}

export function subjectOf({ address, host, uid }: SubjectOptions): Subject | undefined {
  if (address !== undefined) return { kind: 'address', value: address };
  if (host !== undefined) return { kind: 'host', value: host };
  if (uid !== undefined) return { kind: 'uid', value: String(uid) };
  return undefined;
}

/** Throws CLI_NO_TABLES where the database is older than this. */
export async function assertKeeping(clickhouse: ClickHouse): Promise<void> {
  const { url, database } = clickhouse;
  if ((await columnsOf(clickhouse, 'forgotten')).size === 0) throw cliError('CLI_NO_TABLES', [url, database]);
}

async function forget(store: Store, wish: Wish, options: ForgetOptions): Promise<void> {
  const { clickhouse } = store;
  const startedMs = performance.now();
  const folders = options.export ?? [];
  const holds = await bindingHolds(clickhouse);
  const matches = await matchesOf(clickhouse, wish, holds);
  const inExports = (plan: boolean): Promise<readonly Matched[]> =>
    forgetInExports(store, { ...wish, folders, holds, plan });
  const inTables = await countMatches(clickhouse, matches);
  const found = [...inTables, ...(await inExports(true))];
  if (options.plan) {
    printPlan(found, { holds, json: options.json ?? false });
    return;
  }
  assertNotHeld(found, holds, options);
  if (sumOf(found) > 0 && !(await confirmed(found, options))) {
    process.stdout.write('nothing was forgotten\n');
    return;
  }
  const forgetId = randomUUID();
  const removed: Matched[] = [];
  let left = inTables;
  for (let round = 1; sumOf(left) > 0 && round <= ROUNDS_MAX; round++) {
    removed.push(...left);
    const days = left.filter(({ table, rows }) => table === 'tcp_events' && rows > 0).map(({ day }) => day);
    const opened = await closedAmong(clickhouse, days);
    await openDays(clickhouse, opened);
    for (const match of matches) await removeRows(clickhouse, match, { found: left, forgetId });
    await closeDays(clickhouse, opened);
    left = await countMatches(clickhouse, matches);
  }
  const fromExports = folders.length > 0 ? await inExports(false) : [];
  const forgotten = {
    forgetId,
    ...wish,
    removed: [...removed, ...fromExports],
    left: left.filter(({ rows }) => rows > 0),
    durationMs: Math.round(performance.now() - startedMs),
  };
  if (sumOf(forgotten.removed) > 0) await recordForgotten(clickhouse, forgotten);
  const limits = await notReached(clickhouse, wish);
  printForgotten(forgotten, { limits, json: options.json ?? false });
  if (forgotten.left.length > 0) process.exitCode = 1;
}

export const sumOf = (found: readonly Matched[]): number => found.reduce((sum, { rows }) => sum + rows, 0);
const heldOf = (found: readonly Matched[]): number => found.reduce((sum, { held }) => sum + held, 0);

function assertNotHeld(found: readonly Matched[], holds: readonly Hold[], options: ForgetOptions): void {
  const held = heldOf(found);
  if (held === 0 || options.exceptHeld) return;
  const named = holds.map(
    ({ hold_id, author, until, reason }) => `hold ${hold_id} of ${author} until ${until} (${reason})`,
  );
  throw cliError('CLI_FORGET_HELD', [
    `${plural(held, 'row')} ${held === 1 ? 'is' : 'are'}`,
    named.join(', '),
  ]);
}

async function confirmed(found: readonly Matched[], options: ForgetOptions): Promise<boolean> {
  if (options.yes || process.env['YES'] === '1') return true;
  if (!process.stdin.isTTY) throw cliError('CLI_NOT_CONFIRMED', ['forget']);
  const tables = new Set(found.filter(({ rows }) => rows > 0).map(({ table }) => table)).size;
  return await ask(`Forget ${plural(sumOf(found), 'row')} of ${plural(tables, 'table')} for good?`);
}
