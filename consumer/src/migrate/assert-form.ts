/** Whether the database has the form that is configured, and the server the cluster. */
import { failure } from '../errors.ts';
import { localName } from '../form.ts';
import type { MigrationClient } from './migrate.ts';

/**
 * The statements of one form would pass over the rows of the other, or replace their table.
 *
 * Throws MIGRATION_FORM, CLICKHOUSE_NO_CLUSTER.
 */
export async function assertForm(client: MigrationClient): Promise<void> {
  const { database, cluster } = client;
  const made = await client.query<{ name: string }>(
    `SELECT name FROM system.tables
     WHERE database = {database:String} AND engine LIKE '%MergeTree'`,
    { database },
  );
  const has = (form: { readonly cluster: string }): boolean =>
    made.some(({ name }) => name === localName(form, 'tcp_events'));
  if (cluster && has({ cluster: '' })) {
    throw wrongForm(`database ${database} was made for one node; leave clickhouse.cluster empty`);
  }
  if (!cluster && has({ cluster: 'any' })) {
    throw wrongForm(`database ${database} was made for a cluster; set clickhouse.cluster to its name`);
  }
  if (!cluster) return;
  const known = await client.query<{ cluster: string }>('SELECT DISTINCT cluster FROM system.clusters');
  if (known.some((row) => row.cluster === cluster)) return;
  const names = known.map((row) => row.cluster).join(', ') || 'none';
  throw failure(
    'CLICKHOUSE_NO_CLUSTER',
    `ClickHouse knows no cluster ${cluster}, only: ${names}; set clickhouse.cluster to one of system.clusters`,
    { exitCode: 2 },
  );
}

function wrongForm(what: string): Error {
  return failure('MIGRATION_FORM', `${what}, or take another clickhouse.database`, { exitCode: 2 });
}
