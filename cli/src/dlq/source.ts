/** Which letters the `tcptrail dlq` commands are about, and the ClickHouse that knows what became of them. */

import { migrate } from '@tcptrail/consumer/migrate/migrate.ts';
import type { ClickHouse } from '@tcptrail/consumer/store/clickhouse.ts';
import { connectClickHouse } from '@tcptrail/consumer/store/failover.ts';
import { type ConsumerOptions, consumerSettings } from '../consumer-settings.ts';
import { openKafkaLetters } from './kafka-letters.ts';
import type { LetterBox } from './letters.ts';
import { openSpoolLetters } from './spool-letters.ts';

export type DlqOptions = ConsumerOptions;

export interface Dlq {
  readonly box: LetterBox;
  readonly clickhouse: ClickHouse;
}

/** Runs `use` with both, and ends them. Throws CONFIG_*, KAFKA_*, CLICKHOUSE_*. */
export async function withDlq<T>(options: DlqOptions, use: (dlq: Dlq) => Promise<T>): Promise<T> {
  const config = consumerSettings(options);
  const { group, ...kafka } = config.kafka;
  const clickhouse = connectClickHouse(config.clickhouse);
  try {
    // The table of outcomes may be younger than the consumer that runs.
    if (config.migrate) await migrate(clickhouse);
    const box =
      config.transport === 'kafka'
        ? await openKafkaLetters(kafka, group)
        : openSpoolLetters(config.spool.path);
    return await use({ box, clickhouse });
  } finally {
    await clickhouse.close();
  }
}
