/** The fields of the batch that carries events and owners: who sends it, and the account of what is missing. */
import type { Extra, Field, Type } from './field.ts';

/** A value of the batch envelope: a plain type, a list or map of them, or a list of small records. */
export type EnvelopeType =
  | Type
  | 'labels'
  | 'owners'
  | 'events'
  | { readonly list: string; readonly of: readonly BatchField[] }
  | { readonly optional: string; readonly of: readonly BatchField[] };

export interface BatchField extends Omit<Field, 'type' | 'stage'> {
  readonly type: EnvelopeType;
}

const b = (
  name: string,
  type: EnvelopeType,
  unit: Field['unit'],
  doc: string,
  extra: Extra = {},
): BatchField => ({
  name,
  type,
  unit,
  doc,
  ...extra,
});

const CPU_ACCOUNT: readonly BatchField[] = [
  b('cpu', 'u16', '', 'CPU.'),
  b('seq_last', 'u64', '', 'Last number the kernel gave on this CPU when the account was taken.'),
  b('rows', 'u64', 'events', 'Events written to the spool, numbers up to seq_last.'),
  b('rows_ahead', 'u64', 'events', 'Events written to the spool with numbers beyond seq_last.'),
  b(
    'failed',
    'u64',
    'events',
    'Events lost because a ring was full or busy, or their record could not be read.',
  ),
  b('folded', 'u64', 'events', 'Events folded into the rows of others, numbers up to seq_last.'),
  b('folded_ahead', 'u64', 'events', 'Events folded into the rows of others with numbers beyond seq_last.'),
  b('filtered', 'u64', 'events', 'Events left out by a rule, numbers up to seq_last.'),
  b('filtered_ahead', 'u64', 'events', 'Events left out by a rule with numbers beyond seq_last.'),
  b(
    'spool_dropped',
    'u64',
    'events',
    'Rows dropped unread from the spool, which was full or held them too long.',
  ),
];

const capability: readonly BatchField[] = [
  b('program', 'text', '', 'BPF program, or what the agent needs around it, as host_pid_namespace.'),
  b('attached', 'bool', '', 'It runs, or is there.'),
  b('error', 'string', '', 'Why not.'),
  b('cost', 'string', '', 'Evidence that is missing without it.'),
];

const health: readonly BatchField[] = [
  b(
    'capabilities',
    { list: 'Capability', of: capability },
    '',
    'What the kernel let the agent attach, and what of its surroundings is there.',
  ),
  b('cpu_us', 'u64', 'us', 'CPU time of the agent since it started.'),
  b('memory_bytes', 'u64', 'bytes', 'Resident memory of the agent.'),
  b('spool_bytes', 'u64', 'bytes', 'Bytes waiting in the spool.'),
  b('spool_segments', 'u32', '', 'Segments in the spool.'),
  b('publish_lag_us', 'u64', 'us', 'Age of the oldest batch not yet released by a reader.'),
  b('clock_error_us', 'u64', 'us', 'Uncertainty of the conversion from kernel time to UTC.'),
  b(
    'older_told',
    'bool',
    '',
    'Each connection that is older than this kernel state and still open has been told by it.',
  ),
];

export const BATCH_FIELDS: readonly BatchField[] = [
  b(
    'maybe_duplicate',
    'bool',
    '',
    'The batch may have been sent before; first, so that one byte can be patched.',
  ),
  b('host_name', 'text', '', 'Name of the host.', { otel: 'host.name' }),
  b('host_id', 'text', '', 'Machine id, unless configured.', { otel: 'host.id' }),
  b('boot_id', 'text', '', 'Kernel boot id.'),
  b('agent_version', 'text', '', 'Version of the agent.', { otel: 'telemetry.sdk.version' }),
  b('agent_epoch', 'time', 'us', 'Start of this run of the agent.'),
  b('batch_seq', 'u64', '', 'Number of the batch within the run, from 1, without gaps.', {
    codec: 'Delta(8), ZSTD(1)',
  }),
  b('batch_part', 'u32', '', '1; a batch too large is split into parts 2p and 2p+1.'),
  b('kernel_epoch', 'time', 'us', 'When the kernel state that numbers the events was made.'),
  b('batch_ts', 'time', 'us', 'When the batch was closed.'),
  b('kernel_release', 'text', '', 'Kernel release.', { otel: 'os.version' }),
  b('labels', 'labels', '', 'Configured labels: account, region, zone, team, service, environment.'),
  b('owners', 'owners', '', 'Owners that events refer to by index.'),
  b('events', 'events', '', 'The events.'),
  b(
    'ring_positions',
    {
      list: 'RingPosition',
      of: [
        b('ring', { enum: 'Ring' }, '', 'Ring buffer.'),
        b('position', 'u64', 'bytes', 'Position up to which its records are in this or an earlier batch.'),
      ],
    },
    '',
    'How far the rings were read.',
  ),
  b(
    'cpus',
    { list: 'CpuAccount', of: CPU_ACCOUNT },
    '',
    'Cumulative account of each CPU within the kernel epoch.',
  ),
  b(
    'failed_reserves',
    {
      list: 'FailedReserve',
      of: [
        b('ring', { enum: 'Ring' }, '', 'Ring buffer.'),
        b('kind', { enum: 'EventKind' }, '', 'Kind of the event.'),
        b('count', 'u64', 'events', 'Events lost, cumulative.'),
      ],
    },
    '',
    'Events lost because a ring was full, or busy: its lock was held. By ring and kind.',
  ),
  b(
    'rules',
    {
      list: 'RuleCount',
      of: [
        b('rule', 'text', '', 'Filter of the configuration, fold, or step of the byte budget.'),
        b('folded', 'u64', 'events', 'Events it folded, cumulative within the run of the agent.'),
        b('filtered', 'u64', 'events', 'Events it left out, cumulative within the run of the agent.'),
      ],
    },
    '',
    'Events folded or left out, by rule.',
  ),
  b(
    'programs',
    {
      list: 'ProgramCount',
      of: [
        b('program', 'text', '', 'BPF program.'),
        b(
          'skipped_runs',
          'u64',
          'events',
          'Runs the kernel skipped because the program was interrupted in its own run, cumulative.',
        ),
        b(
          'absent_runs',
          'u64',
          'events',
          'State changes while no agent was there any more, cumulative; with the program that misses them.',
        ),
      ],
    },
    '',
    'What was never numbered, by program.',
  ),
  b(
    'namespaces',
    {
      list: 'NamespaceCount',
      of: [
        b('network_namespace', 'u32', '', 'Inode of the network namespace.'),
        b('counter', 'text', '', "The kernel's counter (TcpExt name)."),
        b('value', 'u64', 'events', 'Its value.'),
      ],
    },
    '',
    'Kernel counters that have no event: SYN cookies, listen overflows.',
  ),
  b('health', { optional: 'Health', of: health }, '', "The agent's own health; in heartbeats."),
];
