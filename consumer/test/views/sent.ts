/** Batches as runs of agents send them, for views that judge by what a host says since. */
import { sampleEnvelope } from '../../../test/sample-batch.ts';
import { type MadeEvent, NOW_US } from '../../../test/spool-writer.ts';
import type { TestDatabase } from '../database.ts';

const OPEN = 1;

/** What one run of an agent sends, in seconds of one boot: its start, then batches. */
export interface Sent {
  readonly run: number;
  readonly at: number;
  readonly boot?: string;
  readonly host?: string;
  /** It has told all that is older. */
  readonly told?: true;
  readonly events?: readonly Partial<MadeEvent>[];
}

/** Runs began a while ago, so that no row is of the future. */
export const BEGAN_US = NOW_US - 1_000 * 1_000_000;

export async function send(database: TestDatabase, batches: readonly Sent[]): Promise<void> {
  for (const { run, at, boot = 'boot-1', host = 'host-a', told = false, events = [] } of batches) {
    const { health } = sampleEnvelope();
    const epoch = BEGAN_US + run * 1_000_000;
    const batch_ts = BEGAN_US + at * 1_000_000;
    await database.put(
      {
        host_id: host,
        boot_id: boot,
        agent_epoch: epoch,
        kernel_epoch: epoch,
        batch_seq: at,
        batch_ts,
        health: health && { ...health, older_told: told },
      },
      events.map((event, index) => ({ seq: at * 100 + index, kind: OPEN, ...event })),
    );
  }
}
