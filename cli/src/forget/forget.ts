/** `tcptrail forget`: removes rows of an address, a host or a user wherever they are stored, and says what it did. */
import { randomUUID } from 'node:crypto';
import { columnsOf } from '@tcptrail/consumer/keep/columns.ts';
import { bindingHolds, type Hold, holdText } from '@tcptrail/consumer/keep/holds.ts';
import { withHostIds } from '@tcptrail/consumer/keep/host-ids.ts';
import type { Subject } from '@tcptrail/consumer/keep/subject.ts';
import { withKeepingLease } from '@tcptrail/consumer/keeping.ts';
import type { OriginLease } from '@tcptrail/consumer/origin-lease.ts';
import type { ClickHouse } from '@tcptrail/consumer/store/clickhouse.ts';
import { closeDays } from '@tcptrail/consumer/tiers/close-days.ts';
import { cliError } from '../errors.ts';
import { type Store, type StoreOptions, withStore } from '../store.ts';
import { ask } from '../terminal/ask.ts';
import { plural } from '../terminal/human.ts';
import { forgetInExports } from './exports.ts';
import { countMatches, type Match, type Matched, matchesOf, type Wish } from './matches.ts';
import { notReached } from './not-reached.ts';
import { type Forgotten, recordForgotten } from './record.ts';
import { removeRows } from './remove-rows.ts';
import { printForgotten, printPlan } from './report.ts';
import { openDays } from './tiers.ts';

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
/** For a consumer that closes a day. */
const LEASE_WAIT_MS_MAX = 120_000;

/** Exit code 1 when rows are left. Throws CONFIG_*, CLICKHOUSE_*, CLI_FORGET_*, ORIGIN_BUSY, CLI_NOT_CONFIRMED, CLI_FILE_*, CLI_NO_EXPORT. */
export async function forgetCommand(options: ForgetOptions): Promise<void> {
  const subject = subjectOf(options);
  if (!subject) throw cliError('CLI_USAGE', ['give one of --address, --host and --uid', 'tcptrail forget']);
  await withStore(options, async (store) => {
    await assertKeeping(store.clickhouse);
    const wish = { subject: await withHostIds(store.clickhouse, subject), before: options.before };
    await forget(store, wish, options);
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

interface Look {
  readonly holds: readonly Hold[];
  readonly matches: readonly Match[];
  readonly found: readonly Matched[];
}

async function look({ clickhouse }: Store, wish: Wish): Promise<Look> {
  const holds = await bindingHolds(clickhouse);
  const matches = await matchesOf(clickhouse, wish, holds);
  return { holds, matches, found: await countMatches(clickhouse, matches) };
}

async function forget(store: Store, wish: Wish, options: ForgetOptions): Promise<void> {
  const { json = false, export: folders = [] } = options;
  const { holds, found } = await look(store, wish);
  const inExports = await forgetInExports(store, { ...wish, folders, holds, plan: true });
  const all = [...found, ...inExports];
  if (options.plan) {
    printPlan(all, { holds, json });
    return;
  }
  assertNotHeld(all, holds, options);
  if (sumOf(all) > 0 && !(await confirmed(all, options))) {
    process.stdout.write('nothing was forgotten\n');
    return;
  }
  const { clickhouse } = store;
  const forgotten = await withKeepingLease(clickhouse, LEASE_WAIT_MS_MAX, (lease) =>
    remove(store, wish, { options, lease }),
  );
  printForgotten(forgotten, { limits: await notReached(clickhouse, wish), json });
  if (forgotten.left.length > 0) process.exitCode = 1;
}

/** No hold is entered or ended, and no day closed, while it runs. */
async function remove(
  store: Store,
  wish: Wish,
  { options, lease }: { readonly options: ForgetOptions; readonly lease: OriginLease },
): Promise<Forgotten> {
  const { clickhouse } = store;
  const [startedMs, nowMs, forgetId] = [performance.now(), Date.now(), randomUUID()];
  let removed: readonly Matched[] = [];
  const { holds, matches, found } = await look(store, wish);
  let left = found;
  const forgotten = (): Forgotten => ({
    forgetId,
    ...wish,
    removed,
    left: left.filter(({ rows }) => rows > 0),
    durationMs: Math.round(performance.now() - startedMs),
  });
  try {
    for (let round = 1; sumOf(left) > 0 && round <= ROUNDS_MAX; round++) {
      assertNotHeld(left, holds, options);
      const days = left.filter(({ table, rows }) => table === 'tcp_events' && rows > 0).map(({ day }) => day);
      await openDays(clickhouse, { days, nowMs });
      for (const match of matches)
        removed = together(removed, await removeRows(clickhouse, match, { found: left, forgetId }));
      await closeDays(clickhouse, { nowMs, lease });
      left = await countMatches(clickhouse, matches);
    }
    const folders = options.export ?? [];
    const inExports = await forgetInExports(store, { ...wish, folders, holds, plan: false });
    removed = together(removed, inExports);
  } finally {
    // Whatever stopped it, what is gone is on record.
    if (sumOf(removed) > 0) await recordForgotten(clickhouse, forgotten());
  }
  return forgotten();
}

/** By table and day: what went in all rounds, and what was held in the last one. */
function together(removed: readonly Matched[], more: readonly Matched[]): readonly Matched[] {
  const found = new Map<string, Matched>();
  for (const each of [...removed, ...more]) {
    const key = `${each.table} ${each.day}`;
    found.set(key, { ...each, rows: each.rows + (found.get(key)?.rows ?? 0) });
  }
  return [...found.values()];
}

export const sumOf = (found: readonly Matched[]): number => found.reduce((sum, { rows }) => sum + rows, 0);
const heldOf = (found: readonly Matched[]): number => found.reduce((sum, { held }) => sum + held, 0);

function assertNotHeld(found: readonly Matched[], holds: readonly Hold[], options: ForgetOptions): void {
  const held = heldOf(found);
  if (held === 0 || options.exceptHeld) return;
  throw cliError('CLI_FORGET_HELD', [
    `${plural(held, 'row')} ${held === 1 ? 'is' : 'are'}`,
    holds.map(holdText).join(', '),
  ]);
}

async function confirmed(found: readonly Matched[], options: ForgetOptions): Promise<boolean> {
  if (options.yes || process.env['YES'] === '1') return true;
  if (!process.stdin.isTTY) throw cliError('CLI_NOT_CONFIRMED', ['forget']);
  const tables = new Set(found.filter(({ rows }) => rows > 0).map(({ table }) => table)).size;
  return await ask(`Forget ${plural(sumOf(found), 'row')} of ${plural(tables, 'table')} for good?`);
}
