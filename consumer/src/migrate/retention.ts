/**
 * How long tables keep their rows: the TTL that the migrations give them.
 *
 * One that a person took off (`tcptrail restore --keep-all`, an import) is put back by a person alone, as what is older
 * goes at once; until then each look at the database names the tables.
 */
import { localName, localTable, onCluster } from '../form.ts';
import { COLD_TABLES, type ColdVolume, coldTtl } from './cold-volume.ts';
import { CLICKHOUSE_FOLDER, migrationFiles } from './files.ts';
import type { MigrationClient, Step } from './migrate.ts';
import { statementsOf } from './statements.ts';

/** Commands need not name it. */
const DEFAULT_DATABASE = 'tcptrail';

/** By table, when its rows go, as `day + INTERVAL 7 DAY`; the last statement of the migrations counts. Pure. */
export function retentionsOf(migrations: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const statement of migrations.flatMap(statementsOf)) {
    const [, table] =
      /^(?:CREATE TABLE IF NOT EXISTS|ALTER TABLE) \{database\}\.(\w+)\{local\}/m.exec(statement) ?? [];
    const [, ttl] = /^\s*(?:MODIFY )?TTL (.+?),?$/m.exec(statement) ?? [];
    if (table !== undefined && ttl !== undefined) found.set(table, ttl);
  }
  return found;
}

/** Tables that the migrations gave a TTL and that have none. Throws CLICKHOUSE_*. */
export async function withoutRetention(client: MigrationClient): Promise<readonly string[]> {
  const without = await client.query<{ name: string }>(
    `SELECT name FROM system.tables WHERE database = {database:String} AND position(engine_full, ' TTL ') = 0`,
    { database: client.database },
  );
  const names = new Set(without.map(({ name }) => name));
  return [...schemaRetentions().keys()].filter((table) => names.has(localName(client, table)));
}

const schemaRetentions = (): ReadonlyMap<string, string> =>
  retentionsOf(migrationFiles(CLICKHOUSE_FOLDER).map(({ sql }) => sql));

/** For a person: what it means, and the way back. */
export function noRetention(
  tables: readonly string[],
  { database }: Pick<MigrationClient, 'database'>,
): string {
  const command = `tcptrail migrate --retention${database === DEFAULT_DATABASE ? '' : ` --database ${database}`}`;
  return `nothing of ${tables.join(', ')} ages away, as a TTL was taken off; '${command}' puts it back, and rows past their age go then: with --plan it says how many`;
}

/** Gives `tables` their TTL again. A step's name says how many rows go at once. Throws CLICKHOUSE_*. */
export async function retentionSteps(
  client: MigrationClient,
  tables: readonly string[],
  cold?: ColdVolume,
): Promise<readonly Step[]> {
  const schema = schemaRetentions();
  const steps: Step[] = [];
  for (const table of tables) {
    const isCold = cold !== undefined && cold.policy !== '' && COLD_TABLES.includes(table);
    const end = isCold ? `day + INTERVAL ${cold.days} DAY` : schema.get(table);
    if (end === undefined) continue;
    const [aged] = await client.query<{ rows: number }>(
      `SELECT count() AS rows FROM ${client.database}.${table} WHERE ${end} <= today()`,
    );
    const ttl = isCold ? coldTtl(cold) : end;
    steps.push({
      name: `retention of ${table}, ${end} (older rows, which go: ${aged?.rows ?? 0})`,
      statements: [`ALTER TABLE ${localTable(client, table)} ${onCluster(client)} MODIFY TTL ${ttl}`],
    });
  }
  return steps;
}

/** Those of `days`, as 2026-11-28, whose rows the TTL of `table` takes, which is named as system.tables has it. Throws CLICKHOUSE_*. */
export async function agedDays(
  client: MigrationClient,
  table: string,
  days: readonly string[],
): Promise<ReadonlySet<string>> {
  const [made] = await client.query<{ engine: string }>(
    'SELECT engine_full AS engine FROM system.tables WHERE database = {database:String} AND name = {name:String}',
    { database: client.database, name: table },
  );
  const [, ttl = ''] = / TTL (.+?)(?: SETTINGS |$)/.exec(made?.engine ?? '') ?? [];
  const end = ttl.split(', ').find((each) => each !== '' && !each.includes(' TO '));
  if (end === undefined || !/\bday\b/.test(end) || days.length === 0) return new Set();
  const aged = await client.query<{ day: string }>(
    `SELECT day FROM (SELECT arrayJoin({days:Array(Date)}) AS day) WHERE ${end} <= today()`,
    { days },
  );
  return new Set(aged.map(({ day }) => day));
}
