/** `tcptrail topic describe`: the topics as they are, against the plan, and how far the consumer group came. */
import { type Admin, type PartitionMetadata, withAdmin } from '@tcptrail/kafka/admin.ts';
import type { KafkaConfig } from '@tcptrail/kafka/config.ts';
import { topicMissing } from '@tcptrail/kafka/errors.ts';
import { describeGroup, type GroupState } from '@tcptrail/kafka/group.ts';
import { groupLag, type PartitionLag } from '@tcptrail/kafka/lag.ts';
import { type Difference, differencesFrom, type Settings } from '@tcptrail/kafka/settings.ts';
import { outOfSync, type PartitionOffsets, readSettings, topicOffsets } from '@tcptrail/kafka/topic-state.ts';
import { findTopic, type TopicPlan } from '@tcptrail/kafka/topics.ts';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { styleFor } from '../terminal/style.ts';
import { topicLine, topicText } from './described.ts';
import { type TopicOptions, topicSource } from './source.ts';

export interface DescribeOptions extends TopicOptions {
  readonly group?: string;
  readonly json?: boolean;
}

/** What could be read of a topic. */
export interface Described {
  readonly plan: TopicPlan;
  readonly partitions: readonly PartitionMetadata[];
  readonly outOfSync: readonly number[];
  readonly offsets: readonly PartitionOffsets[];
  /** Undefined when the user may not read them. */
  readonly settings: Settings | undefined;
  readonly differences: readonly Difference[];
  /** Of the events topic; undefined when the user may not ask for the group. */
  readonly group: DescribedGroup | undefined;
}

export interface DescribedGroup extends GroupState {
  readonly name: string;
  readonly lags: readonly PartitionLag[];
}

/** Exit code 1 when something of a topic could not be read. Throws CONFIG_*, KAFKA_*. */
export async function describeTopicsCommand(options: DescribeOptions): Promise<void> {
  const { kafka, plans, ...source } = topicSource(options);
  const name = options.group ?? source.group;
  const style = styleFor(process.stdout);
  let missing: string | undefined;
  const told = new Set<string>();
  const tell = (error: AppError): void => {
    if (!told.has(error.message)) process.stderr.write(`tcptrail: ${error.message}\n`);
    told.add(error.message);
    process.exitCode = 1;
  };
  await withAdmin(kafka, async (admin) => {
    for (const plan of plans) {
      const partitions = await findTopic(admin, kafka, plan.name);
      if (!partitions) {
        missing ??= plan.name;
        continue;
      }
      const group = plan.name === kafka.topic.events ? name : undefined;
      const described = await describe({ admin, kafka, tell }, { plan, partitions, group });
      process.stdout.write(
        options.json ? topicLine(described) : topicText(described, { brokers: kafka.brokers, style }),
      );
    }
  });
  if (missing !== undefined) throw topicMissing(missing);
}

async function describe(
  at: { readonly admin: Admin; readonly kafka: KafkaConfig; readonly tell: (error: AppError) => void },
  asked: {
    readonly plan: TopicPlan;
    readonly partitions: readonly PartitionMetadata[];
    readonly group: string | undefined;
  },
): Promise<Described> {
  const { admin, kafka, tell } = at;
  const { plan, partitions, group } = asked;
  /** What takes a right of its own: without it the rest is still told. */
  const allowed = <T>(work: Promise<T>): Promise<T | undefined> =>
    work.catch((error: unknown) => {
      if (!(error instanceof AppError) || error.code !== 'KAFKA_NOT_AUTHORISED') throw error;
      tell(error);
      return undefined;
    });
  const offsets = await topicOffsets(admin, kafka, plan.name);
  const settings = await allowed(readSettings(admin, kafka, plan.name));
  return {
    plan,
    partitions: partitions.toSorted((a, b) => a.partitionId - b.partitionId),
    outOfSync: outOfSync(partitions),
    offsets,
    settings,
    differences: settings ? differencesFrom(plan, { partitions: partitions.length, settings }) : [],
    group:
      group === undefined ? undefined : await allowed(groupOf(admin, kafka, { topic: plan.name, group })),
  };
}

async function groupOf(
  admin: Admin,
  kafka: KafkaConfig,
  { topic, group }: { readonly topic: string; readonly group: string },
): Promise<DescribedGroup> {
  const lags = await groupLag(admin, kafka, { topic, group });
  return { name: group, lags, ...(await describeGroup(admin, kafka, group)) };
}
