/** The topics: there, in sync, with the settings that matter. */
import type { Admin, PartitionMetadata } from '@tcptrail/kafka/admin.ts';
import { differencesFrom, remedyOf, type Settings, sentenceOf } from '@tcptrail/kafka/settings.ts';
import { outOfSync, readSettings } from '@tcptrail/kafka/topic-state.ts';
import { findTopic, planTopics, type TopicPlan } from '@tcptrail/kafka/topics.ts';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { bytes, plural } from '../terminal/human.ts';
import { type Check, fail, ok, refused, warn } from './check.ts';
import type { Side } from './kafka.ts';

export interface TopicsFound {
  readonly checks: readonly Check[];
  /** The events topic is there and may be seen. */
  readonly isThere: boolean;
  /** Of the events topic; undefined when it is not told. */
  readonly messageBytesMax: number | undefined;
}

export async function topicChecks(admin: Admin, side: Side): Promise<TopicsFound> {
  const { kafka, consumer } = side;
  const [events, deadLetter] = planTopics(kafka);
  if (!events || !deadLetter) throw new Error('two topics are planned');
  const found = await topicFound(admin, side, { name: 'events topic', plan: events });
  // The agent has no use for the dead letters, and may have no right to see them.
  if (!consumer) return found;
  const letters = await topicFound(admin, side, { name: 'dead letters topic', plan: deadLetter });
  return { ...found, checks: [...found.checks, ...letters.checks] };
}

async function topicFound(
  admin: Admin,
  side: Side,
  topic: { readonly name: string; readonly plan: TopicPlan },
): Promise<TopicsFound> {
  const { kafka } = side;
  const { name, plan } = topic;
  try {
    const partitions = await findTopic(admin, kafka, plan.name);
    if (!partitions) {
      const check = missing(name, plan.name, kafka.topic.create);
      return { checks: [check], isThere: false, messageBytesMax: undefined };
    }
    const copies = copiesCheck(name, plan.name, partitions);
    const { check, settings } = await settingsFound(admin, side, { plan, partitions: partitions.length });
    const bytesMax = settings?.['max.message.bytes'];
    return {
      checks: [copies, { ...check, name: name.replace('topic', 'settings') }],
      isThere: true,
      messageBytesMax: bytesMax === undefined ? undefined : Number(bytesMax),
    };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { checks: [refused(name, error)], isThere: false, messageBytesMax: undefined };
  }
}

function missing(name: string, topic: string, mayBeMade: boolean): Check {
  const found = `topic ${topic} is not there`;
  if (mayBeMade)
    return warn(name, `${found}; it is made when a part starts that may`, "or run 'tcptrail topic create'");
  return fail(name, found, "run 'tcptrail topic create', or set kafka.topic.create: true");
}

function copiesCheck(name: string, topic: string, partitions: readonly PartitionMetadata[]): Check {
  const replicas = Math.max(...partitions.map((partition) => partition.replicas.length));
  const size = `${topic}: ${plural(partitions.length, 'partition')}, ${plural(replicas, 'replica')}`;
  const behind = outOfSync(partitions);
  if (behind.length === 0) return ok(name, `${size}, all in sync`);
  const found = `${size}, ${plural(behind.length, 'partition')} out of sync (${behind.join(', ')})`;
  return warn(name, found, 'start the brokers that are down, or see their logs: a copy is missing or behind');
}

/** What agent and consumer do needs no right to see the settings. */
async function settingsFound(
  admin: Admin,
  { kafka }: Side,
  found: { readonly plan: TopicPlan; readonly partitions: number },
): Promise<{ readonly check: Check; readonly settings: Settings | undefined }> {
  const { plan, partitions } = found;
  try {
    const settings = await readSettings(admin, kafka, plan.name);
    const differences = differencesFrom(plan, { partitions, settings });
    if (differences.length === 0) return { check: ok('', 'as planned'), settings };
    const remedy = remedyOf(differences, { topic: plan.name, brokers: kafka.brokers });
    return { check: warn('', sentenceOf(differences), remedy), settings };
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'KAFKA_NOT_AUTHORISED') throw error;
    return { check: refused('', error, 'warn'), settings: undefined };
  }
}

/** A batch compresses to a fraction, but nothing promises it. */
export function messageSizeCheck(sizes: {
  readonly bytesMax: number;
  readonly messageBytesMax: number;
}): Check {
  const { bytesMax, messageBytesMax } = sizes;
  const found = `the topic takes ${bytes(messageBytesMax)} compressed, a batch has up to ${bytes(bytesMax)} uncompressed`;
  if (messageBytesMax >= bytesMax) return ok('message size', found);
  return warn(
    'message size',
    `${found}: batches that do not fit are split`,
    'raise max.message.bytes of the topic, or lower batch.bytesMax in agent.yaml',
  );
}
