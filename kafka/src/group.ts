/** Who is in a consumer group. */
import type { Admin } from 'kafkajs';
import type { KafkaConfig } from './config.ts';
import { explain } from './errors.ts';

export interface GroupState {
  /** In Kafka's words: Stable, Empty, PreparingRebalance, CompletingRebalance; Dead when there is no such group. */
  readonly state: string;
  /** Client ids with the address each came from. */
  readonly members: readonly string[];
}

/** Rejects as `explain` says. */
export async function describeGroup(admin: Admin, config: KafkaConfig, group: string): Promise<GroupState> {
  try {
    const { groups } = await admin.describeGroups([group]);
    const [found] = groups;
    const members = (found?.members ?? []).map(({ clientId, clientHost }) => `${clientId}${clientHost}`);
    return { state: found?.state ?? 'Dead', members };
  } catch (error) {
    throw explain(error, config, { group, operation: 'Describe' });
  }
}
