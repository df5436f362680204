/**
 * The ledger: the origin columns of the stored rows, asked what is already there.
 *
 * A row that `tcptrail forget` took counts as there, so that no consumer stores it again or misses it.
 */
import { localName, localTable } from '../form.ts';
import { BATCH_COLUMNS, batchName } from './batch-name.ts';
import type { ClickHouse } from './clickhouse.ts';
import type { Batch } from './range.ts';

export const TABLES = ['tcp_events', 'tcp_batches'] as const;
export type Table = (typeof TABLES)[number];

export interface Place {
  readonly origin: string;
  readonly originPartition: number;
}

export interface Span extends Place {
  readonly first: number;
  readonly last: number;
}

/** Rows by day (since 1970). */
export type DayRows = ReadonlyMap<number, number>;

export interface Ledger {
  /** Stored rows of the span by table and day, those of some messages left out. */
  totals(span: Span, without: readonly number[]): Promise<Record<Table, DayRows>>;
  /** Stored rows of the span in one table and day, those of some messages left out. */
  count(
    span: Span,
    of: { readonly table: Table; readonly day: number; readonly without: readonly number[] },
  ): Promise<number>;
  /** Stored rows of the span by table, message and day. */
  messages(span: Span): Promise<Record<Table, ReadonlyMap<number, DayRows>>>;
  /** Greatest stored offset of those from `from` on; -1 when there is none. */
  maximum(place: Place, from: number): Promise<number>;
  /** Which batch each message of the span is, as the table has it: offset → its name. */
  identities(span: Span): Promise<ReadonlyMap<number, string>>;
  /** INSERTs with this log comment that the server still works on. */
  running(logComment: string): Promise<number>;
  /** Whether the table has copies, of which the one that is asked may be behind. */
  isReplicated(table: Table): Promise<boolean>;
}

export function createLedger(clickhouse: ClickHouse): Ledger {
  const where = `origin = {origin:String} AND origin_partition = {originPartition:UInt32}`;
  const span = `${where} AND origin_offset BETWEEN {first:UInt64} AND {last:UInt64}`;
  const tableOf = (table: Table): string => localTable(clickhouse, table);
  const gone = (table: Table): string =>
    `FROM ${localTable(clickhouse, 'forgotten_rows')} WHERE stored_in = '${table}'
     AND origin_hash = sipHash64({origin:String}) AND origin_partition = {originPartition:UInt32}`;
  /** One row per row of the span that is stored, or was forgotten and is not there any longer. */
  const told = (table: Table): string => {
    const row = table === 'tcp_events' ? 'origin_offset, cpu, seq' : 'origin_offset';
    const within = 'AND origin_offset BETWEEN {first:UInt64} AND {last:UInt64}';
    return `(SELECT day, origin_offset FROM ${tableOf(table)} WHERE ${span}
      UNION ALL
      SELECT day, origin_offset FROM
      (
          SELECT DISTINCT day, ${row} ${gone(table)} ${within}
          AND (${row}) NOT IN (SELECT ${row} FROM ${tableOf(table)} WHERE ${span})
      ))`;
  };

  async function totals(asked: Span, without: readonly number[]): Promise<Record<Table, DayRows>> {
    const each = TABLES.map(
      (table) =>
        `SELECT '${table}' AS stored, toUInt16(day) AS d, count() AS n FROM ${told(table)}
         WHERE origin_offset NOT IN {without:Array(UInt64)} GROUP BY d`,
    );
    const found = await clickhouse.query<{ stored: Table; d: number; n: number }>(each.join(' UNION ALL '), {
      ...asked,
      without,
    });
    const of = (table: Table): DayRows =>
      new Map(found.filter((row) => row.stored === table).map((row) => [row.d, row.n]));
    return { tcp_events: of('tcp_events'), tcp_batches: of('tcp_batches') };
  }

  async function messagesOf(table: Table, asked: Span): Promise<ReadonlyMap<number, DayRows>> {
    const rows = await clickhouse.query<{ offset: number; d: number; n: number }>(
      `SELECT origin_offset AS offset, toUInt16(day) AS d, count() AS n FROM ${told(table)} GROUP BY offset, d`,
      { ...asked },
    );
    const found = new Map<number, Map<number, number>>();
    for (const { offset, d, n } of rows) {
      const days = found.get(offset) ?? new Map<number, number>();
      found.set(offset, days.set(d, n));
    }
    return found;
  }

  return {
    totals,
    async count(asked, { table, day, without }) {
      const [found] = await clickhouse.query<{ n: number }>(
        `SELECT count() AS n FROM ${told(table)}
         WHERE toUInt16(day) = {day:UInt16} AND origin_offset NOT IN {without:Array(UInt64)}`,
        { ...asked, day, without },
      );
      return found?.n ?? 0;
    },
    async messages(asked) {
      return {
        tcp_events: await messagesOf('tcp_events', asked),
        tcp_batches: await messagesOf('tcp_batches', asked),
      };
    },
    async maximum({ origin, originPartition }, from) {
      // Only offsets from there on: the index passes over all that is older, which is nearly everything.
      const each = TABLES.flatMap((table) =>
        [`FROM ${tableOf(table)} WHERE ${where}`, gone(table)].map(
          (rows) =>
            `SELECT max(toInt64(origin_offset)) AS m, count() AS n ${rows} AND origin_offset >= {from:UInt64}`,
        ),
      );
      const rows = await clickhouse.query<{ m: number; n: number }>(each.join(' UNION ALL '), {
        origin,
        originPartition,
        from,
      });
      return Math.max(-1, ...rows.filter((row) => row.n > 0).map((row) => row.m));
    },
    async identities(asked) {
      const rows = await clickhouse.query<Batch & { offset: number }>(
        `SELECT ${BATCH_COLUMNS}, origin_offset AS offset FROM ${tableOf('tcp_batches')} AS stored WHERE ${span}`,
        { ...asked },
      );
      return new Map(rows.map((row) => [row.offset, batchName(row)]));
    },
    async running(logComment) {
      const rows = await clickhouse.query<{ n: number }>(
        `SELECT count() AS n FROM system.processes WHERE Settings['log_comment'] = {logComment:String}`,
        { logComment },
      );
      return rows[0]?.n ?? 0;
    },
    async isReplicated(table) {
      const [found] = await clickhouse.query<{ engine: string }>(
        `SELECT engine FROM system.tables WHERE database = {database:String} AND name = {table:String}`,
        { database: clickhouse.database, table: localName(clickhouse, table) },
      );
      return !/^(Replacing|Aggregating|Summing)?MergeTree$/.test(found?.engine ?? '');
    },
  };
}
