/**
 * Events on a cold volume: slower and cheaper disks, as S3, for what is older than a week.
 *
 * Without one, events are kept as the migrations say, and a TTL that a person set is left alone. With one, raw tables get
 * its storage policy; ClickHouse moves parts of whole days.
 */
import { failure } from '../errors.ts';
import { localName, localTable, onCluster } from '../form.ts';
import type { MigrationClient, Step } from './migrate.ts';

export interface ColdVolume {
  /** Storage policy that has the volume, and before it one named as now, `default`; empty: no cold volume. */
  readonly policy: string;
  readonly volume: string;
  /** Days that events are kept in all. */
  readonly days: number;
}

export const COLD_TABLES: readonly string[] = ['tcp_events', 'tcp_batches'];
/** What stays of forgotten rows is kept as long as the rows would have been. */
const TRACES = 'forgotten_rows';
/** On the first volume, as the migrations have it. */
const HOT_DAYS = 7;

export const coldTtl = ({ volume, days }: ColdVolume): string =>
  `day + toIntervalDay(${HOT_DAYS}) TO VOLUME '${volume}', day + toIntervalDay(${days})`;

/** What is still to be done for it. Throws CLICKHOUSE_NO_VOLUME. */
export async function coldVolumeSteps(client: MigrationClient, cold: ColdVolume): Promise<readonly Step[]> {
  if (cold.policy === '') return [];
  const { policy, volume } = cold;
  const [known] = await client.query<{ n: number }>(
    'SELECT count() AS n FROM system.storage_policies WHERE policy_name = {policy:String} AND volume_name = {volume:String}',
    { policy, volume },
  );
  if (Number(known?.n ?? 0) === 0)
    throw failure(
      'CLICKHOUSE_NO_VOLUME',
      `ClickHouse has no storage policy "${policy}" with a volume "${volume}"; configure it there, or mend clickhouse.coldVolume`,
      { exitCode: 2 },
    );
  const made = await client.query<{ name: string; policy: string; engine: string }>(
    'SELECT name, storage_policy AS policy, engine_full AS engine FROM system.tables WHERE database = {database:String}',
    { database: client.database },
  );
  const steps: Step[] = [];
  for (const table of COLD_TABLES) {
    const now = made.find(({ name }) => name === localName(client, table));
    const alter = `ALTER TABLE ${localTable(client, table)} ${onCluster(client)}`;
    const ttl = coldTtl(cold);
    // One that a person took off stays off, see retention.ts.
    const isDue = !now || (now.engine.includes(' TTL ') && !now.engine.includes(`TTL ${ttl} `));
    const statements = [
      ...(now?.policy === policy ? [] : [`${alter} MODIFY SETTING storage_policy = '${policy}'`]),
      ...(isDue ? [`${alter} MODIFY TTL ${ttl}`] : []),
    ];
    if (statements.length > 0) steps.push({ name: `cold volume of ${table}`, statements });
  }
  const traces = made.find(({ name }) => name === localName(client, TRACES));
  const end = `forgotten_day + toIntervalDay(${cold.days})`;
  // Likewise.
  if (!traces || (traces.engine.includes(' TTL ') && !traces.engine.includes(`TTL ${end} `)))
    steps.push({
      name: `retention of ${TRACES}`,
      statements: [`ALTER TABLE ${localTable(client, TRACES)} ${onCluster(client)} MODIFY TTL ${end}`],
    });
  return steps;
}
