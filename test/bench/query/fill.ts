/** Fills a database with the made fleet's events through the consumer's own store. */
import { createRangeDecoder } from '@tcptrail/consumer/decode/range.ts';
import { createLog } from '@tcptrail/consumer/log.ts';
import { createMetrics } from '@tcptrail/consumer/metrics.ts';
import type { ClickHouse } from '@tcptrail/consumer/store/clickhouse.ts';
import type { StoreMessage } from '@tcptrail/consumer/store/range.ts';
import { createStore } from '@tcptrail/consumer/store/store.ts';
import type { Fleet } from '../../fleet/fleet.ts';

const RANGE_ROWS = 200_000;
const PLACE = { origin: 'fleet', originPartition: 0, parked: [] };

/** Gives how many events were stored. */
export async function fill(
  clickhouse: ClickHouse,
  fleet: Fleet,
  tell: (rows: number) => void,
): Promise<number> {
  const log = createLog();
  log.level = 'warn';
  const store = createStore(
    { triesMax: 1 },
    { clickhouse, createDecoder: createRangeDecoder, log, metrics: createMetrics() },
  );
  let messages: StoreMessage[] = [];
  let held = 0;
  let rows = 0;
  let offset = 0;
  /** What is made next is made while it is stored. */
  let storing: Promise<void> = Promise.resolve();
  const flush = async (): Promise<void> => {
    await storing;
    const range = { ...PLACE, messages };
    const count = held;
    messages = [];
    held = 0;
    storing = store.store(range).then((parked) => {
      if (parked.length > 0) throw new Error(`a made batch was parked: ${parked[0]?.detail}`);
      rows += count;
      tell(rows);
    });
  };
  for (const { datum, hostId, agentEpoch, batchSeq, rows: count } of fleet.batches()) {
    messages.push({ offset: ++offset, datum, identity: { hostId, agentEpoch, batchSeq } });
    held += count;
    if (held >= RANGE_ROWS) await flush();
  }
  await flush();
  await storing;
  return rows;
}

/** Until no merge runs and none is begun. */
export async function settled(clickhouse: ClickHouse): Promise<void> {
  for (let quiet = 0; quiet < 3; ) {
    const [running] = await clickhouse.query<{ n: number }>('SELECT count() AS n FROM system.merges');
    quiet = running?.n === 0 ? quiet + 1 : 0;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}
