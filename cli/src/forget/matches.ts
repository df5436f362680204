/** Which rows are to be forgotten: a condition for each table, and how many there are. */
import { columnsOf, type Hold, heldBy } from '@tcptrail/consumer/keep/holds.ts';
import { condition, type Subject } from '@tcptrail/consumer/keep/subject.ts';
import type { ClickHouse } from '@tcptrail/consumer/store/clickhouse.ts';
import { type ForgettableTable, TABLES } from './tables.ts';

export interface Wish {
  readonly subject: Subject;
  /** As 2026-11-28: rows filed under earlier days. */
  readonly before?: string | undefined;
}

export interface Match {
  readonly table: ForgettableTable;
  /** Of the rows that go. */
  readonly where: string;
  /** Of the rows that a hold keeps. */
  readonly held: string;
}

export interface Matched {
  readonly table: string;
  /** As 2026-11-28. */
  readonly day: string;
  readonly rows: number;
  /** Under a hold, beside these. */
  readonly held: number;
}

/** One for each table that is there and can tell whose its rows are. Throws CLICKHOUSE_*. */
export async function matchesOf(
  clickhouse: ClickHouse,
  { subject, before }: Wish,
  holds: readonly Hold[],
): Promise<readonly Match[]> {
  const matches: Match[] = [];
  for (const table of TABLES) {
    const columns = await columnsOf(clickhouse, table.name);
    if (columns.size === 0) continue;
    const whose = table.where ? table.where(subject, clickhouse.database) : condition(subject, columns);
    if (whose === undefined) continue;
    const all = before === undefined ? whose : `${whose} AND ${table.day} < '${before}'`;
    const held = heldBy(holds, columns);
    matches.push({ table, where: `${all} AND NOT ${held}`, held: `${all} AND ${held}` });
  }
  return matches;
}

/** Rows by table and day. */
export async function countMatches(
  { database, query }: ClickHouse,
  matches: readonly Match[],
): Promise<readonly Matched[]> {
  const found: Matched[] = [];
  for (const { table, where, held } of matches) {
    const rows = await query<{ day: string; rows: number; held: number }>(
      `SELECT ${table.day} AS day, countIf(${where}) AS rows, countIf(${held}) AS held
       FROM ${database}.${table.name} WHERE (${where}) OR (${held}) GROUP BY day ORDER BY day`,
    );
    found.push(...rows.map((row) => ({ table: table.name, ...row })));
  }
  return found;
}

/** A host that is named, with its ids. */
export async function withHostIds({ database, query }: ClickHouse, subject: Subject): Promise<Subject> {
  if (subject.kind !== 'host') return subject;
  const tables: string[] = [];
  for (const name of ['tcp_batches', 'held_events', 'tier_edges'])
    if ((await columnsOf({ database, query }, name)).size > 0) tables.push(name);
  const each = tables.map(
    (name) =>
      `SELECT DISTINCT toString(host_id) AS id FROM ${database}.${name} WHERE host_name = {name:String}`,
  );
  const rows = await query<{ id: string }>(each.join(' UNION DISTINCT '), { name: subject.value });
  return { ...subject, hostIds: rows.map(({ id }) => id).filter((id) => id !== subject.value) };
}

/** Rows by table; those of files under `export`. */
export function tableRows(found: readonly Matched[]): Readonly<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const { table, rows } of found) {
    const name = table.endsWith('.parquet') ? 'export' : table;
    sums[name] = (sums[name] ?? 0) + rows;
  }
  return sums;
}
