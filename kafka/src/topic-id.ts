/**
 * The id that the brokers give a topic when it is made: a topic deleted and made again has another one.
 *
 * kafkajs speaks Metadata up to version 6, and the id comes with version 10. So this one request is written here and
 * sent over a connection of kafkajs, which has logged in; the way to that connection is not public.
 *
 * Metadata request v10 (flexible: header v2): tags, topics: compact array of (topic id 16 bytes, name compact string,
 * tags), allow auto creation bool, cluster operations bool, topic operations bool, tags.
 * Response v10 (header v1): tags, throttle int32, brokers: compact array of (node int32, host compact string, port
 * int32, rack compact string, tags), cluster id compact string, controller int32, topics: compact array of (error
 * int16, name compact string, topic id 16 bytes, …).
 */
import type { Kafka } from 'kafkajs';
import { kafkaError, topicMissing } from './errors.ts';

const METADATA = 3;
const VERSION = 10;
const ID_BYTES = 16;
const UNKNOWN_TOPIC = 3;
const CREATE_CLUSTER = 'private:Kafka:createCluster';

interface Connected {
  readonly versions?: Readonly<Record<string, { readonly maxVersion: number }>>;
  readonly connectionPool: {
    send(exchange: {
      request: { apiKey: number; apiVersion: number; apiName: string; encode(): Promise<Encoded> };
      response: { decode(raw: Buffer): Promise<Buffer>; parse(raw: Buffer): Promise<Buffer> };
    }): Promise<Buffer>;
  };
}

/** As much of kafkajs' Encoder as the connection looks at. */
interface Encoded {
  readonly buf: Buffer;
  readonly buffer: Buffer;
}

interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addTargetTopic(topic: string): Promise<void>;
  findLeaderForPartitions(topic: string, partitions: readonly number[]): Readonly<Record<string, unknown>>;
  findBroker(of: { readonly nodeId: string }): Promise<Connected>;
  readonly brokerPool: { findConnectedBroker(): Promise<Connected> };
}

/** The id of one topic, asked again and again over connections that stay. */
export interface TopicId {
  /**
   * As Kafka's tools print it; undefined when the brokers give none, as those before 2.8. The leader of `partition` is
   * asked where one is given: what it has sent is of no later topic than it tells. Rejects with KAFKA_TOPIC_MISSING,
   * KAFKA_BUSY, and as kafkajs does.
   */
  read(partition?: number): Promise<string | undefined>;
  close(): Promise<void>;
}

/** Connects at the first question. */
export function createTopicId(client: Kafka, topic: string): TopicId {
  const cluster = clusterOf(client);
  const body = metadataRequest(topic);

  async function brokerOf(partition: number | undefined): Promise<Connected> {
    await cluster.connect();
    if (partition === undefined) return await cluster.brokerPool.findConnectedBroker();
    await cluster.addTargetTopic(topic);
    const [nodeId] = Object.keys(cluster.findLeaderForPartitions(topic, [partition]));
    const hasLeader = nodeId !== undefined && Number(nodeId) >= 0;
    return hasLeader ? await cluster.findBroker({ nodeId }) : await cluster.brokerPool.findConnectedBroker();
  }

  return {
    async read(partition) {
      const broker = await brokerOf(partition);
      if ((broker.versions?.[METADATA]?.maxVersion ?? 0) < VERSION) return undefined;
      const answer = await broker.connectionPool.send({
        request: {
          apiKey: METADATA,
          apiVersion: VERSION,
          apiName: 'Metadata',
          encode: async () => ({ buf: body, buffer: body }),
        },
        response: { decode: async (raw) => raw, parse: async (raw) => raw },
      });
      return topicIdIn(answer, topic);
    },
    async close() {
      await cluster.disconnect().catch(() => {});
    },
  };
}

function clusterOf(client: Kafka): Cluster {
  const symbol = Object.getOwnPropertySymbols(client).find(
    ({ description }) => description === CREATE_CLUSTER,
  );
  const create = symbol && (client as unknown as Record<symbol, (options: object) => Cluster>)[symbol];
  if (!create) throw new Error('this version of kafkajs has no way to its connections');
  return create({ allowAutoTopicCreation: false });
}

export function metadataRequest(topic: string): Buffer {
  const name = Buffer.from(topic);
  const noTags = Buffer.of(0);
  return Buffer.concat([
    noTags,
    varint(2),
    Buffer.alloc(ID_BYTES),
    varint(name.length + 1),
    name,
    noTags,
    Buffer.of(0, 0, 0),
    noTags,
  ]);
}

export function topicIdIn(answer: Buffer, topic: string): string | undefined {
  let at = 0;
  const unsigned = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = answer.readUInt8(at++);
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  const passText = (): void => {
    const bytes = unsigned() - 1;
    at += Math.max(0, bytes);
  };
  const passTags = (): void => {
    for (let left = unsigned(); left > 0; left--) {
      unsigned();
      const bytes = unsigned();
      at += bytes;
    }
  };
  passTags();
  at += 4;
  for (let brokers = unsigned() - 1; brokers > 0; brokers--) {
    at += 4;
    passText();
    at += 4;
    passText();
    passTags();
  }
  passText();
  at += 4;
  if (unsigned() < 2) throw topicMissing(topic);
  const error = answer.readInt16BE(at);
  at += 2;
  passText();
  const id = answer.subarray(at, at + ID_BYTES);
  // A topic that is just being made has an id and no leader yet.
  if (id.some((byte) => byte !== 0)) return id.toString('base64url');
  if (error === UNKNOWN_TOPIC) throw topicMissing(topic);
  if (error !== 0)
    throw kafkaError('KAFKA_BUSY', `Kafka does not tell the id of topic ${topic} (error ${error})`);
  return undefined;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}
