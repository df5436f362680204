/** Which rows are to be forgotten: a condition for each table, and how many there are. */
import { columnsOf } from '@tcptrail/consumer/keep/columns.ts';
import { type Hold, ofAny } from '@tcptrail/consumer/keep/holds.ts';
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
    const whoseOf = (each: Subject): string | undefined =>
      table.where ? table.where(each, clickhouse.database) : condition(each, columns);
    const whose = whoseOf(subject);
    if (whose === undefined) continue;
    const all = before === undefined ? whose : `${whose} AND ${table.day} < '${before}'`;
    const held = ofAny(holds, whoseOf);
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

/** Rows by table; those of files under `export`. */
export function tableRows(found: readonly Matched[]): Readonly<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const { table, rows } of found) {
    const name = table.endsWith('.parquet') ? 'export' : table;
    sums[name] = (sums[name] ?? 0) + rows;
  }
  return sums;
}
