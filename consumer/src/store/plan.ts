/** What of a range must be stored, and what of it still is missing. Pure. */
import { failure } from '../errors.ts';
import { batchName } from './batch-name.ts';
import { type DayRows, type Span, TABLES, type Table } from './ledger.ts';
import type { StoreDecoded } from './range.ts';

/** Rows that a table must hold, by message and day. */
export type Expected = Record<Table, ReadonlyMap<number, DayRows>>;

/** One INSERT: the messages whose rows of one day go into one table. */
export interface PlannedInsert {
  readonly table: Table;
  readonly day: number;
  readonly offsets: ReadonlySet<number>;
  readonly rows: number;
}

export function expectedOf(batches: StoreDecoded['batches']): Expected {
  return {
    tcp_events: new Map(batches.map((batch) => [batch.offset, batch.events])),
    tcp_batches: new Map(batches.map((batch) => [batch.offset, new Map([[batch.batchDay, 1]])])),
  };
}

/** Messages of which a table holds something. */
export function offsetsIn(stored: Expected): ReadonlySet<number> {
  return new Set(TABLES.flatMap((table) => [...stored[table].keys()]));
}

/** Rows of one day that a table gets of messages other than `without`. */
export function rowsOf(
  expected: Expected,
  of: { readonly table: Table; readonly day: number; readonly without: readonly number[] },
): number {
  let rows = 0;
  for (const [offset, days] of expected[of.table])
    if (!of.without.includes(offset)) rows += days.get(of.day) ?? 0;
  return rows;
}

/** Events first: a batch that shows in tcp_batches has all its rows. `stored` absent: nothing is there yet. */
export function planInserts(expected: Expected, stored?: Expected): readonly PlannedInsert[] {
  return TABLES.flatMap((table) => {
    const days = new Map<number, { offsets: Set<number>; rows: number }>();
    for (const [offset, rowsByDay] of expected[table]) {
      for (const [day, rows] of rowsByDay) {
        const there = stored?.[table].get(offset)?.get(day) ?? 0;
        if (there === rows) continue;
        if (there !== 0) {
          throw ledgerAlarm(`${table} holds ${there} of ${rows} rows of batch ${offset}, day ${day}`);
        }
        const planned = days.get(day) ?? { offsets: new Set<number>(), rows: 0 };
        planned.offsets.add(offset);
        planned.rows += rows;
        days.set(day, planned);
      }
    }
    return [...days]
      .sort(([a], [b]) => a - b)
      .map(([day, { offsets, rows }]): PlannedInsert => ({ table, day, offsets, rows }));
  });
}

/**
 * Throws STORE_LEDGER when a message holds another batch than the table has from the same place: the origin was made
 * anew under its old name, and what is there says nothing of what is here.
 */
export function assertSameBatches(
  batches: StoreDecoded['batches'],
  stored: ReadonlyMap<number, string>,
  span: Span,
): void {
  for (const { offset, envelope } of batches) {
    const there = stored.get(offset);
    const here = batchName(envelope);
    if (there === undefined || there === here) continue;
    throw failure(
      'STORE_LEDGER',
      `${span.origin} ${span.originPartition} was made anew: message ${offset} is batch ${here}, and the table has batch ${there} from there; storing is stopped so that nothing is passed over: give the topic another name (kafka.topic.events)`,
    );
  }
}

/** Throws STORE_LEDGER when the table is not what it must be. Days before `oldestDay` may have aged away. */
export function assertStored(
  expected: Expected,
  totals: Record<Table, DayRows>,
  at: { readonly span: Span; readonly oldestDay: number },
): void {
  const { span, oldestDay } = at;
  for (const table of TABLES) {
    const wanted = new Map<number, number>();
    for (const days of expected[table].values()) {
      for (const [day, rows] of days) wanted.set(day, (wanted.get(day) ?? 0) + rows);
    }
    for (const day of new Set([...wanted.keys(), ...totals[table].keys()])) {
      const [must, is] = [wanted.get(day) ?? 0, totals[table].get(day) ?? 0];
      if (is === must || (day < oldestDay && is < must)) continue;
      throw ledgerAlarm(
        `${table} holds ${is} rows of ${span.origin} ${span.first}-${span.last}, day ${day}, and must hold ${must}`,
      );
    }
  }
}

export function ledgerAlarm(what: string): Error {
  return failure(
    'STORE_LEDGER',
    `${what}; storing is stopped so that nothing is doubled or lost: run 'tcptrail verify', and see "When storing is stopped" in docs/operations.md`,
  );
}
