/** Legal holds: which bind, and the rows under them. */
import type { Asking } from './columns.ts';
import { withHostIds } from './host-ids.ts';
import { condition, type Subject } from './subject.ts';

export interface Hold extends Subject {
  readonly hold_id: string;
  readonly reason: string;
  readonly author: string;
  /** Binds up to and with this day, as 2026-11-28. */
  readonly until: string;
}

export const BINDS = "toYear(ended_ts) = 1970 AND until >= toDate(now('UTC'))";

/** Holds that bind today, oldest first; those of a host that is named with its ids. */
export async function bindingHolds(asking: Asking): Promise<readonly Hold[]> {
  const holds = await asking.query<Hold>(
    `SELECT hold_id, kind, value, reason, author, until
     FROM ${asking.database}.holds FINAL WHERE ${BINDS} ORDER BY made_ts, hold_id`,
  );
  return await Promise.all(holds.map((hold) => withHostIds(asking, hold)));
}

/** For a person. */
export const holdText = ({ hold_id, author, until, reason }: Hold): string =>
  `hold ${hold_id} of ${author} until ${until} (${reason})`;

/** Condition on rows of a table with these columns that are under any of the holds. */
export const heldBy = (holds: readonly Subject[], columns: ReadonlySet<string>): string =>
  ofAny(holds, (hold) => condition(hold, columns));

/** Where any of the subjects says so. A table that cannot tell holds sums, and no rows of anybody. */
export function ofAny(subjects: readonly Subject[], whose: (subject: Subject) => string | undefined): string {
  const conditions = subjects.flatMap((subject) => whose(subject) ?? []);
  return conditions.length > 0 ? `(${conditions.join(' OR ')})` : 'false';
}
