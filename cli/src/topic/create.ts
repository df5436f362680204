/** `tcptrail topic create`: makes the topics that are missing; says how those that are there differ. */
import { type Admin, withAdmin } from '@tcptrail/kafka/admin.ts';
import type { KafkaConfig } from '@tcptrail/kafka/config.ts';
import { differencesFrom, remedyOf, sentenceOf } from '@tcptrail/kafka/settings.ts';
import { readSettings } from '@tcptrail/kafka/topic-state.ts';
import { createTopics, findTopic, type TopicPlan } from '@tcptrail/kafka/topics.ts';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { duration, plural } from '../terminal/human.ts';
import { styleFor } from '../terminal/style.ts';
import { placeOf, type TopicOptions, topicSource } from './source.ts';

/** Throws CONFIG_*, KAFKA_*. A topic that differs is no error: whoever made it may have had reasons. */
export async function createTopicsCommand(options: TopicOptions): Promise<void> {
  const { kafka, plans } = topicSource(options);
  const style = styleFor(process.stdout);
  await withAdmin(kafka, async (admin) => {
    for (const plan of plans) {
      const { made, warning } = await settle(admin, kafka, plan);
      process.stdout.write(`${style('green', '✔')} ${made}\n`);
      if (warning !== '') process.stdout.write(`${style('yellow', '!')} ${warning}\n`);
    }
  });
}

interface Settled {
  readonly made: string;
  /** '' when the topic is as planned. */
  readonly warning: string;
}

async function settle(admin: Admin, kafka: KafkaConfig, plan: TopicPlan): Promise<Settled> {
  const { name: topic } = plan;
  const found = await findTopic(admin, kafka, topic);
  if (!found) {
    await createTopics(admin, kafka, [plan]);
    return { made: `made topic ${topic} at ${placeOf(kafka)}: ${planned(plan)}`, warning: '' };
  }
  const made = `topic ${topic} is there: ${plural(found.length, 'partition')}`;
  try {
    const settings = await readSettings(admin, kafka, topic);
    const differences = differencesFrom(plan, { partitions: found.length, settings });
    if (differences.length === 0) return { made: `${made}, as planned`, warning: '' };
    const remedy = remedyOf(differences, { topic, brokers: kafka.brokers });
    return { made, warning: `topic ${topic}: ${sentenceOf(differences)}; ${remedy}` };
  } catch (error) {
    // The topic is there, which was the question; its settings need a right of their own.
    if (!(error instanceof AppError)) throw error;
    return { made, warning: error.message };
  }
}

function planned({ partitions, replicationFactor, settings }: TopicPlan): string {
  const copies =
    replicationFactor === -1 ? "the brokers' replication factor" : plural(replicationFactor, 'replica');
  const kept = duration(Number(settings['retention.ms']) * 1_000);
  return `${plural(partitions, 'partition')}, ${copies}, kept for ${kept}`;
}
