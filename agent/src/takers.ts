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
import type { Publisher } from './publish/publisher.ts';
import type { Reduction } from './reduction.ts';
import type { Takers } from './reload.ts';
import type { Trace } from './trace/trace.ts';

export interface TakerDeps {
  readonly batcher: Pick<Batcher, 'flush' | 'setLabels'>;
  readonly builder: Pick<BatchBuilder, 'configure'>;
  readonly reduction: Pick<Reduction, 'configure'>;
  readonly cycle: Pick<Cycle, 'configure'>;
  readonly trace: Pick<Trace, 'setTunables' | 'setScanMs'>;
  readonly processes: Pick<Processes, 'configure'>;
  readonly owners: Pick<Owners, 'forget'>;
  readonly records: Pick<PrivateRecords, 'configure'>;
  readonly publisher: Pick<Publisher, 'configure'> | undefined;
  readonly guest: Pick<Guest, 'configure'>;
  readonly log: Pick<Log, 'setLevel'>;
}

export function createTakers(deps: TakerDeps): Takers {
  const { batcher, builder, reduction, cycle, trace, processes, owners, records, publisher, guest, log } =
    deps;

  /** A batch is of one configuration. */
  function reduce(config: AgentConfig): void {
    batcher.flush();
    reduction.configure(config);
  }

  /** The owners of the open batch are as they were when it began. */
  function look(config: AgentConfig, masks = masksOf(config)): void {
    batcher.flush();
    processes.configure(factsShown(config, masks));
    owners.forget();
  }

  return {
    // What it sets are keys of their own.
    profile: () => {},
    labels: ({ labels }) => batcher.setLabels(labelsOf(labels)),
    events(config) {
      const { openHoldMs, updateMs, retransmitsPerSecond, scanMs } = config.events;
      trace.setTunables({ openHoldMs, updateMs, retransmitsPerSecond });
      trace.setScanMs(scanMs);
      reduce(config);
    },
    batch(config) {
      reduce(config);
      builder.configure(config.batch);
      cycle.configure(config.batch);
    },
    fold: reduce,
    filters: reduce,
    budget: reduce,
    // How long the end may take is asked for then.
    publish: ({ publish }) => publisher?.configure(publish),
    process: look,
    privacy(config) {
      const masks = masksOf(config);
      look(config, masks);
      records.configure(masks);
      reduction.configure(config);
    },
    guest: (config) => guest.configure(config.guest),
    log: ({ log: { level } }) => log.setLevel(level),
  };
}

/** As batches carry them: those that are set. */
export function labelsOf(labels: AgentConfig['labels']): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== ''));
}
