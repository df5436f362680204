/** What happens to the agent, each thing once: its metric and its log line. */
import type { AppError } from '@tcptrail/schemas/app-error.ts';
import type { AgentConfig } from './config.ts';
import { agentError, reasonOf } from './errors.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { Dropped } from './spool/retention.ts';

export interface Notices {
  clockStepped(step: { readonly by_us: number }): void;
  spoolWriteFailed(failure: { readonly reason: string; readonly pending: number }): void;
  spoolDropped(dropped: Dropped): void;
  accountUnsettled(): void;
  accountLost(kernelEpoch: number): void;
  accountUnreadable(account: { readonly kernelEpoch: number; readonly reason: string }): void;
  accountsNotPinned(reason: string): void;
  metricsPortTaken(error: unknown): void;
}

export function createNotices(
  config: Pick<AgentConfig, 'spool' | 'metrics'>,
  deps: { readonly log: Log; readonly metrics: Metrics },
): Notices {
  const { log, metrics } = deps;
  const limited = (level: 'warn' | 'error', error: AppError, fields: object = {}): void =>
    log.limited(level, error.code, { code: error.code, ...fields }, error.message);

  return {
    clockStepped({ by_us }) {
      metrics.add('clock_steps');
      log.limited('warn', 'clock', { by_us }, 'the clock was set; events from now on carry the new time');
    },
    spoolWriteFailed({ reason, pending }) {
      metrics.add('spool_write_failures');
      limited('error', agentError('AGENT_SPOOL_WRITE', [config.spool.path, reason]), { pending });
    },
    spoolDropped({ segment, rows }) {
      const count = Object.values(rows)
        .flatMap((cpus) => Object.values(cpus))
        .reduce((sum, ofCpu) => sum + ofCpu, 0);
      metrics.add('spool_dropped_events', count);
      const full = agentError('AGENT_SPOOL_FULL', [String(config.spool.bytesMax), config.spool.path]);
      limited('warn', full, { segment, rows: count });
    },
    accountUnsettled() {
      metrics.add('account_samples_unsettled');
    },
    accountLost(kernelEpoch) {
      log.warn(
        { kernel_epoch: kernelEpoch },
        'an earlier run left its kernel account, but no batch of it is in the spool; it is closed with no rows',
      );
    },
    accountUnreadable({ kernelEpoch, reason }) {
      log.warn({ kernel_epoch: kernelEpoch, reason }, 'the kernel account of an earlier run cannot be read');
    },
    accountsNotPinned(reason) {
      log.warn({ reason }, 'the kernel account will not outlive a kill of this agent');
    },
    metricsPortTaken(error) {
      metrics.add('metrics_listen_failures');
      const address = `${config.metrics.host}:${config.metrics.port}`;
      limited('warn', agentError('AGENT_METRICS_PORT', [address, reasonOf(error)], { cause: error }));
    },
  };
}
