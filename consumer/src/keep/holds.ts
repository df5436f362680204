/** Legal holds: which bind, and the rows under them. */
import { condition, type Kind } from './subject.ts';

export interface Hold {
  readonly hold_id: string;
  readonly kind: Kind;
  readonly value: string;
  readonly reason: string;
  readonly author: string;
  /** Binds up to and with this day, as 2026-11-28. */
  readonly until: string;
}

export interface Asking {
  readonly database: string;
  query<T>(sql: string, params?: Record<string, unknown>): Promise<T[]>;
}

export const BINDS = "toYear(ended_ts) = 1970 AND until >= toDate(now('UTC'))";

/** Holds that bind today, oldest first. */
export async function bindingHolds({ database, query }: Asking): Promise<readonly Hold[]> {
  return await query<Hold>(
    `SELECT hold_id, kind, value, reason, author, until
     FROM ${database}.holds FINAL WHERE ${BINDS} ORDER BY made_ts, hold_id`,
  );
}

/** Condition on rows under any of the holds. A table that cannot tell holds sums, and no rows of anybody. */
export function heldBy(holds: readonly Hold[], columns: ReadonlySet<string>): string {
  const conditions = holds.flatMap((hold) => condition(hold, columns) ?? []);
  return conditions.length > 0 ? `(${conditions.join(' OR ')})` : 'false';
}

export async function columnsOf({ database, query }: Asking, table: string): Promise<ReadonlySet<string>> {
  const rows = await query<{ name: string }>(
    'SELECT name FROM system.columns WHERE database = {database:String} AND table = {table:String}',
    { database, table },
  );
  return new Set(rows.map(({ name }) => name));
}
