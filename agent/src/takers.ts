/** Who takes which section of a configuration that changed while the agent runs. */

import type { AgentConfig } from './config.ts';
import type { Cycle } from './cycle.ts';
import type { BatchBuilder } from './encode/batch-builder.ts';
import type { Batcher } from './encode/batcher.ts';
import type { Owners } from './enrich/owners.ts';
import type { Processes } from './enrich/process.ts';
import type { Guest } from './guest.ts';
import type { Log } from './log.ts';
import type { PrivateRecords } from './privacy/records.ts';
import { factsShown, masksOf } from './privacy.ts';
import type { Takers } from './reload.ts';
import type { Trace } from './trace/trace.ts';

export interface TakerDeps {
  readonly batcher: Pick<Batcher, 'flush' | 'setLabels'>;
  readonly builder: Pick<BatchBuilder, 'configure'>;
  readonly cycle: Pick<Cycle, 'configure'>;
  readonly trace: Pick<Trace, 'setTunables' | 'setScanMs'>;
  readonly processes: Pick<Processes, 'configure'>;
  readonly owners: Pick<Owners, 'forget'>;
  readonly records: Pick<PrivateRecords, 'configure'>;
  readonly guest: Pick<Guest, 'configure'>;
  readonly log: Pick<Log, 'setLevel'>;
}

export function createTakers(deps: TakerDeps): Takers {
  const { batcher, builder, cycle, trace, processes, owners, records, guest, log } = deps;
  return {
    labels: ({ labels }) => batcher.setLabels(labelsOf(labels)),
    batch({ batch }) {
      batcher.flush();
      builder.configure(batch);
      cycle.configure(batch);
    },
    events({ events }) {
      const { openHoldMs, updateMs, retransmitsPerSecond } = events;
      trace.setTunables({ openHoldMs, updateMs, retransmitsPerSecond });
      trace.setScanMs(events.scanMs);
    },
    process: look,
    privacy(config) {
      const masks = masksOf(config);
      look(config, masks);
      records.configure(masks);
    },
    guest: (config) => guest.configure(config.guest),
    log: ({ log: { level } }) => log.setLevel(level),
    // What of it is live is asked for at the end.
    publish: () => {},
  };

  /** The owners of the open batch are as they were when it began. */
  function look(config: AgentConfig, masks = masksOf(config)): void {
    batcher.flush();
    processes.configure(factsShown(config, masks));
    owners.forget();
  }
}

/** As batches carry them: those that are set. */
export function labelsOf(labels: AgentConfig['labels']): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== ''));
}
