/** ClickHouse: does it answer, who are we, are the tables there, is what they hold complete. */
import { AppError } from '@tcptrail/schemas/app-error.ts';
import type { Connection } from '../clickhouse/connection.ts';
import { isMissingTable } from '../clickhouse/sentence.ts';
import { count, duration, plural } from '../terminal/human.ts';
import { type Check, fail, ok, warn } from './check.ts';

export async function storeChecks(connection: Connection, expected: boolean): Promise<readonly Check[]> {
  const checks: Check[] = [];
  try {
    const [server] = await connection.rows<{ version: string }>('SELECT version() AS version');
    checks.push(ok('ClickHouse', `${server?.version} at ${connection.url}, as user ${connection.user}`));
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    // Sentences of the catalogue end in their remedy.
    const [found = '', ...remedy] = error.message.split('; ');
    if (error.code === 'CLI_CLICKHOUSE_UNREACHABLE' && !expected) {
      return [warn('ClickHouse', found, "start it with 'sudo tcptrail up', or give --url")];
    }
    return [fail('ClickHouse', found, remedy.join('; ') || 'see its log')];
  }
  for (const [name, check] of Object.entries({ schema, flow, completeness })) {
    try {
      checks.push(await check(connection));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      if (isMissingTable(error) || error.code === 'CLI_NO_TABLES') {
        return [...checks, warn(name, 'no tables yet', "start 'tcptrail up' or 'tcptrail consumer' once")];
      }
      checks.push(fail(name, error.message, "run 'tcptrail migrate' of this version"));
    }
  }
  return checks;
}

async function schema(connection: Connection): Promise<Check> {
  const [found] = await connection.rows<{ tables: number; newest: string }>(
    'SELECT toUInt32(count()) AS tables, toString(max(name)) AS newest FROM system.tables WHERE database = currentDatabase()',
  );
  await connection.rows('SELECT 1 FROM tcp_events LIMIT 0');
  return ok('schema', `${found?.tables ?? 0} tables and views`);
}

const LATE_S = 60;

async function flow(connection: Connection): Promise<Check> {
  const [row] = await connection.rows<{
    batches: number;
    age_s: number;
    hosts: number;
  }>(
    `SELECT toFloat64(count()) AS batches, toFloat64(dateDiff('second', max(batch_ts), now64(6, 'UTC'))) AS age_s,
            toUInt32(uniqExact(host_id)) AS hosts
     FROM tcp_batches WHERE day >= today() - 1`,
  );
  if (!row || row.batches === 0)
    return warn('flow', 'no batch in two days', "start the agent with 'sudo tcptrail up'");
  const age = duration(Math.max(0, row.age_s) * 1_000_000);
  const found = `newest batch ${row.age_s < 1 ? 'less than a second' : age} old, from ${plural(row.hosts, 'host')}`;
  if (row.age_s <= LATE_S) return ok('flow', found);
  return warn(
    'flow',
    found,
    "is the agent running? 'sudo tcptrail up' starts it; its log tells why it ended",
  );
}

interface Sums {
  readonly unspooled: number;
  readonly waiting: number;
  readonly parked: number;
  readonly discarded: number;
  readonly lost: number;
  readonly failed: number;
  readonly doubled: number;
  readonly rows: number;
}

async function completeness(connection: Connection): Promise<Check> {
  const name = 'completeness';
  const sums = ['unspooled', 'waiting', 'parked', 'discarded', 'lost', 'failed', 'doubled', 'rows']
    .map((column) => `toFloat64(sum(c.${column})) AS ${column}`)
    .join(', ');
  const [row] = await connection.rows<Sums>(`SELECT ${sums} FROM completeness AS c`);
  if (!row) return ok(name, 'nothing recorded yet');
  if (row.doubled > 0)
    return fail(name, `${count(row.doubled)} rows are stored twice`, 'report this as a defect');
  const problems = [
    [row.lost, 'lost between agent and ClickHouse'],
    [row.parked, "in batches that could not be stored: see 'tcptrail dlq list'"],
    [row.discarded, 'discarded by a person'],
    [
      row.failed,
      'lost because a ring was full or busy; if it goes on, raise ring.lifecycleBytes or ring.chatterBytes in agent.yaml',
    ],
    [row.unspooled, 'never spooled: an agent was killed with events in its rings'],
  ] as const;
  const told = problems.filter(([events]) => events > 0).map(([events, why]) => `${count(events)} ${why}`);
  if (told.length === 0) return ok(name, `exact: ${count(row.rows)} events numbered and stored`);
  return warn(name, told.join('; '), 'see \'tcptrail query "SELECT * FROM completeness"\'');
}
