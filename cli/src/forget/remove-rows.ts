/**
 * Removes rows from a table, leaving a trace of each where one is wanted.
 *
 * The trace is written first and only rows with a trace are deleted: what is stored in between stays for the next
 * round, and a kill at any moment leaves no row that is gone and not counted. ALTER TABLE … DELETE writes the parts
 * anew without the rows; DELETE FROM would only mark them, and leave their bytes until a merge.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { localName, localTable, onCluster } from '@tcptrail/consumer/form.ts';
import type { ClickHouse } from '@tcptrail/consumer/store/clickhouse.ts';
import { cliError } from '../errors.ts';
import type { Match, Matched } from './matches.ts';
import type { Trace } from './tables.ts';

const POLL_MS = 100;

/** Gives, by day, what went and what a hold kept. Throws CLICKHOUSE_*, CLI_FORGET_STUCK. */
export async function removeRows(
  clickhouse: ClickHouse,
  { table, where }: Match,
  { found, forgetId }: { readonly found: readonly Matched[]; readonly forgetId: string },
): Promise<readonly Matched[]> {
  await dropMasked(clickhouse, table.name);
  const ofTable = found.filter((each) => each.table === table.name);
  const days = ofTable.filter(({ rows }) => rows > 0).map(({ day }) => day);
  if (days.length === 0) return ofTable;
  if (!table.trace) {
    await mutate(clickhouse, table.name, `DELETE WHERE ${where}`);
    return ofTable;
  }
  const went = new Map<string, number>();
  for (const day of days) {
    const ofDay = `${table.day} = '${day}' AND ${where}`;
    await leaveTraces(clickhouse, table.name, { trace: table.trace, day: table.day, where: ofDay, forgetId });
    const traced = `${rowOf(table.trace)} IN (SELECT host_hash, kernel_epoch, cpu, agent_epoch, batch_seq, batch_part, seq
      FROM ${localTable(clickhouse, 'forgotten_rows')}
      WHERE forget_id = '${forgetId}' AND stored_in = '${table.name}' AND day = '${day}')`;
    const going = `${ofDay} AND ${traced}`;
    const before = await countOf(clickhouse, table.name, going);
    await mutate(clickhouse, table.name, `DELETE WHERE ${going}`);
    went.set(day, before - (await countOf(clickhouse, table.name, going)));
  }
  return ofTable.map((each) => ({ ...each, rows: went.get(each.day) ?? 0 }));
}

async function countOf(clickhouse: ClickHouse, table: string, where: string): Promise<number> {
  const [row] = await clickhouse.query<{ n: number }>(
    `SELECT count() AS n FROM ${localTable(clickhouse, table)} WHERE ${where}`,
  );
  return row?.n ?? 0;
}

/** Rows that DELETE FROM has marked before are seen by nobody, and are on the disk all the same. */
async function dropMasked(clickhouse: ClickHouse, table: string): Promise<void> {
  const [row] = await clickhouse.query<{ n: number }>(
    `SELECT count() AS n FROM system.parts
     WHERE database = {database:String} AND table = {table:String} AND active AND has_lightweight_delete`,
    { database: clickhouse.database, table: localName(clickhouse, table) },
  );
  if (row && row.n > 0) await mutate(clickhouse, table, 'APPLY DELETED MASK');
}

const rowOf = ({ hostHash, kernelEpoch, cpu, batchPart, seq }: Trace): string =>
  `(${hostHash}, ${kernelEpoch}, ${cpu}, agent_epoch, batch_seq, ${batchPart}, ${seq})`;

async function leaveTraces(
  clickhouse: ClickHouse,
  table: string,
  of: { readonly trace: Trace; readonly day: string; readonly where: string; readonly forgetId: string },
): Promise<void> {
  const { hostHash, kernelEpoch, cpu, batchPart, seq } = of.trace;
  await clickhouse.statement(
    `INSERT INTO ${localTable(clickhouse, 'forgotten_rows')}
       (day, stored_in, host_hash, kernel_epoch, cpu, agent_epoch, batch_seq, batch_part, seq,
        origin_hash, origin_partition, origin_offset, forget_id)
     SELECT ${of.day}, '${table}', ${hostHash}, ${kernelEpoch}, ${cpu}, agent_epoch, batch_seq, ${batchPart}, ${seq},
        sipHash64(toString(origin)), origin_partition, origin_offset, '${of.forgetId}'
     FROM ${localTable(clickhouse, table)} WHERE ${of.where}`,
  );
}

/** Runs `ALTER TABLE … change` and waits until every part of the table has it. */
export async function mutate(clickhouse: ClickHouse, table: string, change: string): Promise<void> {
  const { database } = clickhouse;
  // A subquery may answer otherwise on another replica; what it asks here is written once.
  await clickhouse.statement(
    `ALTER TABLE ${localTable(clickhouse, table)} ${onCluster(clickhouse)} ${change} SETTINGS allow_nondeterministic_mutations = 1`,
  );
  for (;;) {
    const [row] = await clickhouse.query<{ n: number; reason: string }>(
      `SELECT count() AS n, any(latest_fail_reason) AS reason FROM system.mutations
       WHERE database = {database:String} AND table = {table:String} AND NOT is_done`,
      { database, table: localName(clickhouse, table) },
    );
    if (!row || row.n === 0) return;
    if (row.reason !== '') throw cliError('CLI_FORGET_STUCK', [table, row.reason.slice(0, 300)]);
    await sleep(POLL_MS);
  }
}
