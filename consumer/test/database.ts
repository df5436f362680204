/** A database with this program's tables and views, filled by hand through the real store. */
import type { BatchEnvelope } from '@tcptrail/schemas/batch.ts';
import { datumOf, type MadeEvent } from '../../test/spool-writer.ts';
import { createRangeDecoder } from '../src/decode/range.ts';
import { migrate } from '../src/migrate/migrate.ts';
import { type ClickHouse, createClickHouse } from '../src/store/clickhouse.ts';
import { insertBlock } from '../src/store/insert.ts';

let databases = 0;

export interface TestDatabase {
  readonly clickhouse: ClickHouse;
  /** Stores one batch without asking what is there already. */
  put(envelope: Partial<BatchEnvelope>, events: readonly MadeEvent[], origin?: string): Promise<void>;
  /** All rows of a query; `{db}` is the database. */
  rows<T = Record<string, unknown>>(query: string): Promise<T[]>;
}

export async function createDatabase(url: string): Promise<TestDatabase> {
  const database = `made_${++databases}`;
  const clickhouse = createClickHouse({
    url,
    username: 'default',
    password: '',
    database,
    requestWaitMsMax: 30_000,
  });
  await migrate(clickhouse);
  const decoder = createRangeDecoder();
  return {
    clickhouse,
    async put(envelope, events, origin = 'spool:made') {
      const offset = envelope.batch_seq ?? 1;
      const datum = datumOf(envelope, events);
      const decoded = decoder.decode({ origin, originPartition: 0 }, [{ offset, datum }]);
      const all = new Set([offset]);
      for (const batch of decoded.batches) {
        for (const day of batch.events.keys()) {
          const body = decoded.events(all, day) ?? new Uint8Array();
          await insertBlock(clickhouse, { table: 'tcp_events', format: 'Native', body, logComment: 'test' });
        }
        const body = decoded.batchLines(all, batch.batchDay);
        await insertBlock(clickhouse, {
          table: 'tcp_batches',
          format: 'JSONEachRow',
          body,
          logComment: 'test',
        });
      }
    },
    rows: (query) => clickhouse.query(query.replaceAll('{db}', database)),
  };
}
