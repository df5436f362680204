/** Where a topic that is there differs from one that would be made now, in what matters. Pure. */
import type { TopicPlan } from './topics.ts';

/** Settings of a topic by Kafka's names. */
export type Settings = Readonly<Record<string, string>>;

export interface Difference {
  /** `partitions`, or a setting by Kafka's name. */
  readonly setting: string;
  readonly planned: string;
  /** '' when the brokers do not tell it. */
  readonly found: string;
}

/** What decides how much a topic takes, how long it keeps it, and whose clock it trusts. */
export const SETTINGS_THAT_MATTER = [
  'compression.type',
  'max.message.bytes',
  'message.timestamp.type',
  'retention.ms',
] as const;

/** Partitions first, then the settings by name. */
export function differencesFrom(
  plan: TopicPlan,
  found: { readonly partitions: number; readonly settings: Settings },
): readonly Difference[] {
  const rows = [
    { setting: 'partitions', planned: String(plan.partitions), found: String(found.partitions) },
    ...SETTINGS_THAT_MATTER.map((setting) => ({
      setting,
      planned: plan.settings[setting] ?? '',
      found: found.settings[setting] ?? '',
    })),
  ];
  return rows.filter((row) => row.planned !== row.found);
}

/** `retention.ms is 1000, planned 604800000`. */
export function sentenceOf(differences: readonly Difference[]): string {
  return differences
    .map(({ setting, planned, found }) => `${setting} is ${found || 'not told'}, planned ${planned}`)
    .join('; ');
}

/** Commands that make the topic as it is planned, or the key that plans it as it is; '' without a difference. */
export function remedyOf(
  differences: readonly Difference[],
  at: { readonly topic: string; readonly brokers: readonly string[] },
): string {
  const server = `--bootstrap-server ${at.brokers.join(',')}`;
  const partitions = differences.find(({ setting }) => setting === 'partitions');
  const settings = differences.filter((difference) => difference !== partitions);
  const remedies: string[] = [];
  if (partitions && Number(partitions.found) < Number(partitions.planned)) {
    remedies.push(`kafka-topics ${server} --alter --topic ${at.topic} --partitions ${partitions.planned}`);
  } else if (partitions) {
    // Partitions can be added, never taken away.
    remedies.push(`set kafka.topic.partitions: ${partitions.found}`);
  }
  if (settings.length > 0) {
    const pairs = settings.map(({ setting, planned }) => `${setting}=${planned}`).join(',');
    remedies.push(
      `kafka-configs ${server} --alter --entity-type topics --entity-name ${at.topic} --add-config ${pairs}`,
    );
  }
  return remedies.join(' && ');
}
