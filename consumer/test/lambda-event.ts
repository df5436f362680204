/** Events as AWS Lambda's event-source mappings of Kafka hand them on, in the shape that AWS documents. */
import { NOW_US } from '../../test/spool-writer.ts';
import type { KafkaEvent, KafkaRecord } from '../src/lambda.ts';

export interface Sent {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

function recordOf({ topic, partition, offset, key, value }: Sent): KafkaRecord {
  return {
    topic,
    partition,
    offset,
    timestamp: Math.floor(NOW_US / 1000),
    timestampType: 'LOG_APPEND_TIME',
    ...(key ? { key: key.toString('base64') } : {}),
    ...(value ? { value: value.toString('base64') } : {}),
    headers: [{ headerKey: [104, 101, 97, 100, 101, 114] }],
  };
}

function recordsOf(sent: readonly Sent[]): Record<string, KafkaRecord[]> {
  const records: Record<string, KafkaRecord[]> = {};
  for (const one of sent) {
    const name = `${one.topic}-${one.partition}`;
    records[name] = [...(records[name] ?? []), recordOf(one)];
  }
  return records;
}

const SERVERS =
  'b-1.demo.a1b2c3.c4.kafka.eu-central-1.amazonaws.com:9098,b-2.demo.a1b2c3.c4.kafka.eu-central-1.amazonaws.com:9098';

export const mskEvent = (sent: readonly Sent[]): KafkaEvent => ({
  eventSource: 'aws:kafka',
  eventSourceArn:
    'arn:aws:kafka:eu-central-1:123456789012:cluster/demo/5a6b7c8d-0000-4000-8000-000000000000-4',
  bootstrapServers: SERVERS,
  records: recordsOf(sent),
});

export const selfManagedEvent = (sent: readonly Sent[]): KafkaEvent => ({
  eventSource: 'SelfManagedKafka',
  bootstrapServers: 'kafka-1.example:9092,kafka-2.example:9092',
  records: recordsOf(sent),
});
