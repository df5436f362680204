/** Three topics with the same events: batches as agents send them, flat Avro, one JSON message an event. */
import { registerCodecs } from '@tcptrail/kafka/codecs.ts';
import { frame } from '@tcptrail/schemas/single-object.ts';
import kafkajs, { type Message } from 'kafkajs';
import {
  avroBatchPart,
  avroEventPart,
  avroFile,
  jsonBatchPart,
  jsonEventPart,
  jsonLine,
} from './flat-events.ts';
import { datumOf, envelopeOf, type RealBatch } from './real-batches.ts';

export const PARTITIONS = 4;
/** Events of one Avro message for the Kafka engine. */
const AVRO_EVENTS = 5_000;
const MESSAGE_BYTES_MAX = 16 * 1024 * 1024;

export interface Topics {
  readonly batches: string;
  readonly avro: string;
  readonly json: string;
}

export interface Filled {
  readonly events: number;
  readonly jsonEvents: number;
}

type Sets = AsyncIterable<Message[]> | Iterable<Message[]>;

/** Each host's events are in one partition, in order. A tenth of the hosts for JSON: its rate needs no more. */
export async function fillTopics(
  brokers: readonly string[],
  topics: Topics,
  { batches, hosts }: { readonly batches: readonly RealBatch[]; readonly hosts: number },
): Promise<Filled> {
  registerCodecs();
  const client = new kafkajs.Kafka({
    clientId: 'bench',
    brokers: [...brokers],
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const admin = client.admin();
  await admin.connect();
  await admin.createTopics({
    waitForLeaders: true,
    topics: Object.values(topics).map((topic) => ({
      topic,
      numPartitions: PARTITIONS,
      configEntries: [{ name: 'max.message.bytes', value: String(MESSAGE_BYTES_MAX) }],
    })),
  });
  await admin.disconnect();
  const producer = client.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  const perHost = batches.reduce((sum, { events }) => sum + events.count, 0);
  const jsonHosts = Math.ceil(hosts / 10);

  async function put(topic: string, host: number, sets: Sets): Promise<void> {
    const partition = host % PARTITIONS;
    for await (const set of sets) {
      const messages = set.map((message) => ({ ...message, partition }));
      await producer.send({ topic, acks: -1, compression: kafkajs.CompressionTypes.ZSTD, messages });
    }
  }

  try {
    for (let host = 0; host < hosts; host++) {
      await put(
        topics.batches,
        host,
        batches.map((batch) => [{ key: String(host), value: frame(datumOf(batch, host)) }]),
      );
    }
    const avro = batches.map((batch) => batch.flat().map(avroEventPart));
    for (let host = 0; host < hosts; host++) await put(topics.avro, host, avroSets(batches, avro, host));
    const json = batches.map((batch) => batch.flat().map(jsonEventPart));
    for (let host = 0; host < jsonHosts; host++) {
      await put(
        topics.json,
        host,
        batches.map((batch, index) => {
          const before = jsonBatchPart(flatBatch(batch, host));
          return (json[index] ?? []).map((event) => ({ value: jsonLine(before, event) }));
        }),
      );
    }
  } finally {
    await producer.disconnect();
  }
  return { events: perHost * hosts, jsonEvents: perHost * jsonHosts };
}

const flatBatch = (batch: RealBatch, host: number): Readonly<Record<string, unknown>> => ({
  ...envelopeOf(batch, host),
});

function* avroSets(
  batches: readonly RealBatch[],
  events: readonly (readonly Buffer[])[],
  host: number,
): Generator<Message[]> {
  let records: Buffer[] = [];
  for (const [index, batch] of batches.entries()) {
    const before = avroBatchPart(flatBatch(batch, host));
    for (const event of events[index] ?? []) {
      records.push(before, event);
      if (records.length < 2 * AVRO_EVENTS) continue;
      yield [{ value: avroFile(records, records.length / 2) }];
      records = [];
    }
  }
  if (records.length > 0) yield [{ value: avroFile(records, records.length / 2) }];
}
