/**
 * A ClickHouse in this process that is a cluster of itself, for the cluster form of the tables.
 *
 * `one` has one shard, `two` has two, both of them this process, so that they hold the same rows. There is no Keeper:
 * ON CLUSTER and Replicated are taken out of what is run, and nothing else. A storage policy `tiered` has a volume
 * `cold`, on a disk of its own.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Session } from 'chdb';
import { temporaryFolder } from '../../../test/spool-writer.ts';
import type { ClickHouse } from '../../src/store/clickhouse.ts';

const PORT = 9000;
const SHARD = `<shard><replica><host>127.0.0.1</host><port>${PORT}</port></replica></shard>`;
// A replica whose port is its own it does not connect to: nothing listens there.
const configOf = (folder: string): string => `<clickhouse><tcp_port>${PORT}</tcp_port><remote_servers>
  <one>${SHARD}</one><two>${SHARD}${SHARD}</two></remote_servers>
  <storage_configuration>
    <disks><cold><type>local</type><path>${folder}/cold/</path></cold></disks>
    <policies><tiered><volumes>
      <default><disk>default</disk></default><cold><disk>cold</disk></cold>
    </volumes></tiered></policies>
  </storage_configuration></clickhouse>`;

export interface OneProcessCluster {
  rows<Row>(sql: string, params?: Readonly<Record<string, unknown>>): Row[];
  run(sql: string): void;
  /** `cluster`: one, two, or empty. It inserts no blocks. */
  client(database: string, cluster: string): ClickHouse;
  close(): void;
}

export function createOneProcessCluster(): OneProcessCluster {
  const folder = temporaryFolder();
  const configFile = join(folder, 'config.xml');
  writeFileSync(configFile, configOf(folder));
  const session = new Session(join(folder, 'db'), {
    connectionArgs: [`--config-file=${configFile}`, '--timezone=UTC'],
  });
  const run = (sql: string): void => void session.query(sql);
  function rows<Row>(sql: string, params: Readonly<Record<string, unknown>> = {}): Row[] {
    const quoted = (value: unknown): string => `'${String(value).replaceAll(/[\\']/g, '\\$&')}'`;
    for (const [name, value] of Object.entries(params)) run(`SET param_${name} = ${quoted(value)}`);
    const lines = session.query(sql, 'JSONEachRow').split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Row);
  }
  return {
    rows,
    run,
    client: (database, cluster) => ({
      url: 'this process',
      database,
      cluster,
      async query(sql, params) {
        // As the real one does.
        if (cluster) run("SET distributed_product_mode = 'global'");
        try {
          return rows(sql, params);
        } finally {
          run("SET distributed_product_mode = 'deny'");
        }
      },
      statement: async (sql) => run(withoutKeeper(sql)),
      insert: () => Promise.reject(new Error('it inserts no blocks')),
      close: async () => undefined,
    }),
    close: () => session.close(),
  };
}

function withoutKeeper(sql: string): string {
  return sql
    .replaceAll(/ON CLUSTER '\w+'/g, '')
    .replaceAll(/Replicated(\w*MergeTree)\('\/[^']*', '[^']*', /g, '$1(')
    .replaceAll(/Replicated(\w*MergeTree)/g, '$1');
}
