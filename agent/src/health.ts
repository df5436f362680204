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
  /** What the byte budget leaves out, told likewise. */
  readonly reduced: Health['capabilities'];
  readonly clock: Clock;
  readonly spoolHealth: (nowUs: number) => SpoolHealth;
  readonly processCounters: () => ProcessCounters;
  readonly kernelFailed: () => number;
  readonly kernelUntracked: () => number;
  /** Lines left out of the log so far. */
  readonly suppressedLines: number;
  readonly olderTold: boolean;
  /** How full the fuller ring was at most since the last heartbeat, 0 to 1. */
  readonly ringFill: number;
  readonly metrics: Metrics;
}

/** Measures now; sets the gauges by the way. */
export function measureHealth(deps: HealthDeps): Health {
  const { metrics, clock, programs, surroundings } = deps;
  const spool = deps.spoolHealth(clock.nowUs());
  const processes = deps.processCounters();
  const { user, system } = process.cpuUsage();
  const cpu_us = user + system;
  const memory_bytes = process.memoryUsage.rss();
  const missing = (of: Health['capabilities']): number => of.filter(({ attached }) => !attached).length;

  metrics.set('ring_fill_ratio', deps.ringFill);
  metrics.set('memory_bytes', memory_bytes);
  metrics.set('heap_bytes', process.memoryUsage().heapUsed);
  metrics.set('spool_waiting_bytes', spool.bytes);
  metrics.set('spool_segments', spool.segments);
  metrics.set('spool_pending_batches', spool.pending);
  metrics.set('publish_lag_seconds', spool.lag_us / 1e6);
  metrics.set('clock_error_seconds', clock.error_us / 1e6);
  metrics.set('attached_programs', programs.length - missing(programs));
  metrics.set('missing_programs', missing(programs));
  metrics.set('missing_surroundings', missing(surroundings));
  metrics.raise('ring_failed_events', deps.kernelFailed());
  metrics.raise('untracked_sockets', deps.kernelUntracked());
  metrics.raise('cpu_seconds', cpu_us / 1e6);
  metrics.raise('log_suppressed_lines', deps.suppressedLines);
  metrics.raise('process_lookups', processes.read);
  metrics.raise('gone_processes', processes.gone);
  metrics.raise('unreadable_processes', processes.unreadable);
  return {
    capabilities: [...programs, ...surroundings, ...deps.reduced],
    cpu_us,
    memory_bytes,
    spool_bytes: spool.bytes,
    spool_segments: spool.segments,
    publish_lag_us: spool.lag_us,
    clock_error_us: clock.error_us,
    older_told: deps.olderTold,
  };
}
