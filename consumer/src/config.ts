/** Keys of the consumer's configuration, /etc/tcptrail/consumer.yaml. `make gen` writes docs/config.md from them. */
import type { ConfigOf } from '@tcptrail/config/load.ts';
import { secret, secretFile } from '@tcptrail/config/secret.ts';
import { absolutePath, httpUrl, MIB, metricsSection } from '@tcptrail/config/value.ts';
import { kafkaKeys } from '@tcptrail/kafka/config.ts';
import { z } from 'zod';

const HOUR_MS = 3_600_000;

export const CONSUMER_CONFIG = z.strictObject({
  clickhouse: z
    .strictObject({
      url: httpUrl().default('http://127.0.0.1:8123').describe("Address of ClickHouse's HTTP interface."),
      fallbackUrls: z
        .array(httpUrl())
        .default([])
        .describe(
          'Further addresses of the same ClickHouse, or of its replicas, each used when the one before does not answer or takes no rows.',
        ),
      username: z.string().default('default').describe('User that inserts, and migrates when it may.'),
      password: secret().describe('Password of that user.'),
      passwordFile: secretFile('password').describe(
        'File whose first line is the password; wins over `password`.',
      ),
      database: z
        .string()
        .regex(/^[A-Za-z_][A-Za-z0-9_]*$/)
        .meta({ rule: 'letters, digits and _, not beginning with a digit' })
        .default('tcptrail')
        .describe('Database of the tables; it is made when it is not there.'),
      coldVolume: z
        .strictObject({
          policy: z
            .string()
            .regex(/^\w*$/)
            .meta({ rule: 'letters, digits and _' })
            .default('')
            .describe(
              'Storage policy of ClickHouse that has the volume, as one on S3, behind a volume named default with the disks of now; empty: events are kept 7 days and go.',
            ),
          volume: z
            .string()
            .regex(/^\w+$/)
            .meta({ rule: 'letters, digits and _' })
            .default('cold')
            .describe('Volume of that policy, to which events of more than 7 days move.'),
          days: z.int().min(8).max(4_000).default(30).describe('Days that events are kept then, in all.'),
        })
        .prefault({}),
      cluster: z
        .string()
        .regex(/^[A-Za-z0-9_.-]*$/)
        .meta({ rule: 'letters, digits, _, . and -' })
        .default('')
        .describe(
          'Cluster that the tables are made on, as in system.clusters, replicated and over all shards; empty for one node. Chosen once: a database keeps its form.',
        ),
      requestWaitMsMax: z
        .int()
        .min(1)
        .max(HOUR_MS)
        .default(60_000)
        .describe(
          'Milliseconds after which a request without an answer is given up, and its outcome asked for.',
        ),
    })
    .prefault({}),
  transport: z
    .enum(['spool', 'kafka'])
    .default('spool')
    .describe('Where batches come from: the spool of this host, or Kafka.'),
  spool: z
    .strictObject({
      path: absolutePath()
        .default('/var/spool/tcptrail')
        .describe('Folder of the spool, as the agent of this host has it.'),
      reader: z
        .string()
        .regex(/^[a-z0-9_-]+$/)
        .meta({ rule: 'one or more of a-z, 0-9, _ and -' })
        .default('clickhouse')
        .describe('Names the cursor: how far this reader came.'),
      pollMs: z
        .int()
        .min(1)
        .max(HOUR_MS)
        .default(200)
        .describe('Milliseconds between two looks at a spool that was read to its end.'),
    })
    .prefault({}),
  kafka: kafkaKeys
    .extend({
      group: z
        .string()
        .min(1)
        .max(255)
        .default('tcptrail-consumer')
        .describe('Consumer group: its members share the partitions.'),
      sessionMs: z
        .int()
        .min(500)
        .max(HOUR_MS)
        .default(30_000)
        .describe('Milliseconds of silence after which a consumer loses its partitions to the others.'),
      concurrency: z.int().min(1).max(64).default(2).describe('Partitions that are stored at the same time.'),
    })
    .prefault({}),
  batch: z
    .strictObject({
      rowsMax: z.int().min(1).max(1_000_000).default(200_000).describe('Rows after which an insert is sent.'),
      bytesMax: z
        .int()
        .min(1)
        .max(1024 * MIB)
        .default(64 * MIB)
        .describe('Bytes of batches after which an insert is sent.'),
      flushMs: z
        .int()
        .min(0)
        .max(HOUR_MS)
        .default(500)
        .describe('Milliseconds the oldest batch of a spool waits for others before an insert is sent.'),
      insertMsMin: z
        .int()
        .min(0)
        .max(HOUR_MS)
        .default(1_000)
        .describe(
          'Milliseconds between two inserts of one consumer of Kafka, unless they are full (a quarter of `bytesMax`): with n partitions that have data each is stored every n times as long, and its rows are seen so much later.',
        ),
    })
    .prefault({}),
  tiers: z
    .strictObject({
      closeMs: z
        .int()
        .min(0)
        .max(24 * HOUR_MS)
        .default(600_000)
        .describe(
          'Milliseconds between two looks for days that are over and not yet summed in the tiers; of several consumers one does it. 0 = never: then the tiers end with the events.',
        ),
    })
    .prefault({}),
  migrate: z.boolean().default(true).describe('Apply the migrations of the database at start.'),
  metrics: metricsSection({ port: 9481, zero: 'any free one' }),
  stopWaitMsMax: z
    .int()
    .min(1)
    .max(HOUR_MS)
    .default(15_000)
    .describe('Milliseconds for running inserts at the end; then they are broken off.'),
});

export type ConsumerConfig = ConfigOf<typeof CONSUMER_CONFIG>;
