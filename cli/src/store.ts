/** The consumer's ClickHouse, for commands whose statements may take their time. */
import type { ColdVolume } from '@tcptrail/consumer/migrate/cold-volume.ts';
import type { ClickHouse } from '@tcptrail/consumer/store/clickhouse.ts';
import { connectClickHouse } from '@tcptrail/consumer/store/failover.ts';
import { type Connection, createConnection } from './clickhouse/connection.ts';
import { type ConsumerOptions, consumerSettings } from './consumer-settings.ts';

export type StoreOptions = Pick<ConsumerOptions, 'config' | 'url' | 'user' | 'passwordFile' | 'database'>;

export interface Store {
  readonly clickhouse: ClickHouse;
  /** The same, for answers of any size. */
  readonly connection: Connection;
  /** What the consumer does to raw tables when it migrates. */
  readonly cold: ColdVolume;
}

/** A mutation of a large table. */
const REQUEST_WAIT_MS_MAX = 3_600_000;

/** Throws CONFIG_*, and as `use` does. */
export async function withStore<T>(options: StoreOptions, use: (store: Store) => Promise<T>): Promise<T> {
  const { config, url, user, passwordFile, database } = options;
  const settings = consumerSettings({
    ...(config === undefined ? {} : { config }),
    ...(url === undefined ? {} : { url }),
    ...(user === undefined ? {} : { user }),
    ...(passwordFile === undefined ? {} : { passwordFile }),
    ...(database === undefined ? {} : { database }),
  });
  const clickhouse = connectClickHouse({
    ...settings.clickhouse,
    requestWaitMsMax: REQUEST_WAIT_MS_MAX,
  });
  const connection = createConnection({ ...settings.clickhouse, user: settings.clickhouse.username });
  try {
    return await use({ clickhouse, connection, cold: settings.clickhouse.coldVolume });
  } finally {
    await connection.close();
    await clickhouse.close();
  }
}
