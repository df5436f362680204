/** The agent's own health, for the heartbeat and for the gauges. */
import type { Health } from '@tcptrail/schemas/batch.ts';
import type { Clock } from './enrich/clock.ts';
import type { ProcessCounters } from './enrich/process.ts';
import type { Metrics } from './metrics.ts';
import type { SpoolHealth } from './spool/spool.ts';

export interface HealthDeps {
  readonly programs: Health['capabilities'];
  /** What the agent needs around it, told like programs. */
  readonly surroundings: Health['capabilities'];
  readonly clock: Clock;
  readonly spoolHealth: (nowUs: number) => SpoolHealth;
  readonly processCounters: () => ProcessCounters;
  readonly kernelFailed: () => number;
  readonly kernelUntracked: () => number;
  readonly olderTold: boolean;
  readonly metrics: Metrics;
}

/** Measures now; sets the gauges by the way. */
export function measureHealth(deps: HealthDeps): Health {
  const { metrics, clock, programs, surroundings } = deps;
  const spool = deps.spoolHealth(clock.nowUs());
  const processes = deps.processCounters();
  const { user, system } = process.cpuUsage();
  const missing = (of: Health['capabilities']): number => of.filter(({ attached }) => !attached).length;

  metrics.set('spool_waiting_bytes', spool.bytes);
  metrics.set('spool_segments', spool.segments);
  metrics.set('spool_pending_batches', spool.pending);
  metrics.set('publish_lag_microseconds', spool.lag_us);
  metrics.set('clock_error_microseconds', clock.error_us);
  metrics.set('programs_attached', programs.length - missing(programs));
  metrics.set('programs_missing', missing(programs));
  metrics.set('surroundings_missing', missing(surroundings));
  metrics.raise('ring_failed_events', deps.kernelFailed());
  metrics.raise('sockets_untracked', deps.kernelUntracked());
  metrics.raise('process_lookups', processes.read);
  metrics.raise('process_gone', processes.gone);
  metrics.raise('process_unreadable', processes.unreadable);
  return {
    capabilities: [...programs, ...surroundings],
    cpu_us: user + system,
    memory_bytes: process.memoryUsage.rss(),
    spool_bytes: spool.bytes,
    spool_segments: spool.segments,
    publish_lag_us: spool.lag_us,
    clock_error_us: clock.error_us,
    older_told: deps.olderTold,
  };
}
