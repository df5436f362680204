/**
 * What of a range is about to be inserted. The owner of a partition notes it before it inserts: whoever comes next
 * sends the same INSERTs under the same tokens, and ClickHouse takes each token once, whoever is late.
 */
import { randomUUID } from 'node:crypto';
import { failure } from '../errors.ts';
import { TABLES, type Table } from './ledger.ts';
import type { Expected, PlannedInsert } from './plan.ts';

export interface IntendedInsert {
  readonly table: Table;
  readonly day: number;
  readonly rows: number;
  /** Counts the tokens that ClickHouse had logged when it was killed, and whose rows it does not have. */
  readonly attempt: number;
  /** Offsets of messages whose rows of that day are left out: they are stored already. */
  readonly without: readonly number[];
}

export interface Intent {
  /** Like no other: a token that is made of it was never used before it is noted. */
  readonly id: string;
  /** Of the messages as they came. */
  readonly digest: string;
  /** Offsets of messages that could not be read, or not be decoded; a newer consumer may. */
  readonly parked: readonly number[];
  readonly inserts: readonly IntendedInsert[];
}

/** Brokers keep 4,096 bytes beside an offset (offset.metadata.max.bytes); the transport adds some of its own. */
const TEXT_BYTES_MAX = 4_000;

/** `all`: rows of all messages, those included that are not to be inserted. */
export function intendedOf(all: Expected, plan: readonly PlannedInsert[]): readonly IntendedInsert[] {
  return plan.map(({ table, day, offsets, rows }) => {
    const without = [...all[table]].filter(([offset, days]) => days.has(day) && !offsets.has(offset));
    return { table, day, rows, attempt: 0, without: without.map(([offset]) => offset) };
  });
}

export function createIntent(intent: Omit<Intent, 'id'>): Intent {
  return { id: randomUUID(), ...intent };
}

/** Throws STORE_RANGE_TOO_LARGE: half of it may fit. */
export function intentText({ id, digest, parked, inserts }: Intent): string {
  const text = JSON.stringify([
    [id, digest, ...parked],
    ...inserts.map(({ table, day, rows, attempt, without }) => [
      TABLES.indexOf(table),
      day,
      rows,
      attempt,
      ...without,
    ]),
  ]);
  if (text.length <= TEXT_BYTES_MAX) return text;
  throw failure('STORE_RANGE_TOO_LARGE', `what is to be inserted takes ${text.length} bytes to note`);
}

/** Undefined when the text is none of `intentText`. */
export function readIntent(text: string): Intent | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(parsed)) return undefined;
  const [head, ...lines] = parsed as unknown[];
  if (!Array.isArray(head)) return undefined;
  const [id, digest, ...parked] = head as [unknown, unknown, ...number[]];
  if (typeof id !== 'string' || typeof digest !== 'string') return undefined;
  if (!parked.every(Number.isSafeInteger)) return undefined;
  const inserts: IntendedInsert[] = [];
  for (const line of lines) {
    if (!Array.isArray(line) || !line.every(Number.isSafeInteger)) return undefined;
    const [index, day, rows, attempt, ...without] = line as number[];
    const table = TABLES[index ?? -1];
    if (!table || day === undefined || rows === undefined || attempt === undefined) return undefined;
    inserts.push({ table, day, rows, attempt, without });
  }
  return { id, digest, parked, inserts };
}

export function tokenOf({ id }: Intent, { table, day, attempt }: IntendedInsert): string {
  return `${id}/${table}/${day}/${attempt}`;
}
