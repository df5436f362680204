/** What is parked has the id of its host alone; people name hosts. */
import { type Asking, columnsOf } from './columns.ts';
import type { Subject } from './subject.ts';

const NAMING = ['tcp_batches', 'held_events', 'tier_edges'];

/** A host that is named, with the ids that it has in the tables; any other subject as it is. Throws CLICKHOUSE_*. */
export async function withHostIds<S extends Subject>(asking: Asking, subject: S): Promise<S> {
  const { database, query } = asking;
  if (subject.kind !== 'host') return subject;
  const tables: string[] = [];
  for (const name of NAMING) if ((await columnsOf(asking, name)).size > 0) tables.push(name);
  const each = tables.map(
    (name) =>
      `SELECT DISTINCT toString(host_id) AS id FROM ${database}.${name} WHERE host_name = {name:String}`,
  );
  const rows = await query<{ id: string }>(each.join(' UNION DISTINCT '), { name: subject.value });
  return { ...subject, hostIds: rows.map(({ id }) => id).filter((id) => id !== subject.value) };
}
