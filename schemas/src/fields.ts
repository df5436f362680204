/**
 * Every field of the record once; everything that has a layout is generated from here (`make gen`).
 *
 * Three tables: an event, its owner, and the batch that carries both. Row order is Avro order, so a released
 * table only grows at its end. The ring record holds the `kernel` rows of events and owners.
 */
import type { EnumName, EventKind } from './enums.ts';

/** Who first knows the value. */
export type Stage = 'kernel' | 'agent' | 'consumer';

/**
 * What a value is; fixes its C, Avro and ClickHouse form (`types.ts`).
 *
 * `time`: ns since boot in the ring, µs since the epoch from there on; 0 = never.
 * `name16`: NUL-padded in the ring. `text` repeats much, `string` little. `owner`: index into `owners`.
 */
export type Type =
  | 'bool'
  | 'u8'
  | 'u16'
  | 'u32'
  | 'u64'
  | 'time'
  | 'address'
  | 'name16'
  | 'text'
  | 'string'
  | 'u32[]'
  | 'owner'
  | { readonly enum: EnumName };

export interface Field {
  readonly name: string;
  readonly stage: Stage;
  readonly type: Type;
  /** Printed unit, '' for names, flags and plain numbers. */
  readonly unit: '' | 'us' | 'ms' | 'bytes' | 'bytes/s' | 'segments' | 'events' | 'connections';
  readonly doc: string;
  /** Event kinds that fill it; other kinds leave 0 or ''. Absent: all. */
  readonly kinds?: readonly EventKind[];
  /** OpenTelemetry or ECS name, where one exists. */
  readonly otel?: string;
  /** ClickHouse codec where the type's own is not the best. */
  readonly codec?: string;
  /** In the ring only: the agent turns it into another field. */
  readonly ringOnly?: true;
}

type Extra = Pick<Field, 'kinds' | 'otel' | 'codec' | 'ringOnly'>;
const row =
  (stage: Stage) =>
  (name: string, type: Type, unit: Field['unit'], doc: string, extra: Extra = {}): Field => ({
    name,
    stage,
    type,
    unit,
    doc,
    ...extra,
  });
const kernel = row('kernel');
const agent = row('agent');
const consumer = row('consumer');

const connection = {
  kinds: ['open', 'fail', 'update', 'close', 'retransmit', 'reset', 'half_open', 'summary'],
} satisfies Extra;
const counters = { kinds: ['open', 'fail', 'update', 'close', 'retransmit', 'summary'] } satisfies Extra;
const ended = { kinds: ['fail', 'close', 'summary'] } satisfies Extra;
const retransmit = { kinds: ['retransmit'] } satisfies Extra;
const listener = { kinds: ['listen', 'unlisten', 'listener'] } satisfies Extra;

export const EVENT_FIELDS: readonly Field[] = [
  // What happened, when, and its place in the count of all events.
  kernel('kind', { enum: 'EventKind' }, '', 'What happened.'),
  kernel('ts', 'time', 'us', 'When it happened.', { codec: 'Delta(8), ZSTD(1)' }),
  kernel('cpu', 'u16', '', 'CPU whose counter numbered the event.'),
  kernel('seq', 'u64', '', 'Number of the event on its CPU within the kernel epoch, from 1, without gaps.', {
    codec: 'Delta(8), ZSTD(1)',
  }),
  kernel('late', 'bool', '', 'The state change was not seen; reported when the socket was destroyed.'),

  // Which connection.
  kernel('socket_cookie', 'u64', '', "The kernel's number of the socket, unique within a boot."),
  kernel(
    'generation',
    'u32',
    '',
    'Which connection of that socket: one socket can carry several, one after another.',
  ),
  kernel('role', { enum: 'Role' }, '', 'client called connect; server came from a listener.'),
  kernel('family', { enum: 'Family' }, '', "The socket's address family.", { otel: 'network.type' }),
  kernel('local_address', 'address', '', 'Address of this end; IPv4 is v4-mapped.', {
    otel: 'network.local.address',
  }),
  kernel('local_port', 'u16', '', 'Port of this end.', { otel: 'network.local.port' }),
  kernel('peer_address', 'address', '', 'Address of the other end; IPv4 is v4-mapped.', {
    otel: 'network.peer.address',
  }),
  kernel('peer_port', 'u16', '', 'Port of the other end.', { otel: 'network.peer.port' }),
  kernel('network_namespace', 'u32', '', "Inode of the socket's network namespace."),
  kernel('mptcp_subflow', 'bool', '', 'The socket is a subflow of a Multipath TCP connection.'),
  agent('peer_name', 'text', '', 'Name of the peer, where one is known.', {
    ...connection,
    otel: 'server.address',
  }),
  agent('peer_name_source', { enum: 'PeerNameSource' }, '', 'Where the peer name comes from.', connection),
  agent(
    'peer_translated_address',
    'address',
    '',
    'Peer behind address translation; :: when not translated.',
    {
      ...connection,
      otel: 'destination.nat.ip',
    },
  ),
  agent('peer_translated_port', 'u16', '', 'Port behind address translation; 0 when not translated.', {
    ...connection,
    otel: 'destination.nat.port',
  }),

  // Whose it is.
  agent('owner', 'owner', '', "Index of the owner in the batch's `owners`; becomes the owner's columns."),
  kernel(
    'owner_source',
    { enum: 'OwnerSource' },
    '',
    'Evidence for the owner, best first: connect, first_io, close, listener, scan, socket.',
  ),
  kernel('socket_uid', 'u32', '', 'User that made the socket.'),
  kernel('socket_cgroup_id', 'u64', '', 'cgroup v2 of the socket; 0 when it has none.'),
  agent('own', 'bool', '', "The connection is tcptrail's own."),

  // Its life.
  kernel(
    'state',
    { enum: 'TcpState' },
    '',
    'TCP state at the event; for close and fail the state it left. A reset without a socket: closed when it answered a SYN, else unknown.',
    {
      otel: 'network.connection.state',
    },
  ),
  kernel('start_ts', 'time', 'us', 'Client: when the SYN was sent. Server: when the handshake completed.', {
    ...connection,
    codec: 'Delta(8), ZSTD(1)',
  }),
  kernel(
    'established_ts',
    'time',
    'us',
    'When it was established; 1970 when it never was, or before the agent.',
    {
      ...connection,
      codec: 'Delta(8), ZSTD(1)',
    },
  ),
  kernel(
    'handshake_us',
    'u32',
    'us',
    'Client: SYN sent to established. Server: SYN-ACK sent to its ACK.',
    connection,
  ),
  kernel(
    'duration_us',
    'u64',
    'us',
    'From start to this event; the sum over folded connections.',
    connection,
  ),
  kernel(
    'counters_since',
    { enum: 'CountersSince' },
    '',
    'birth, or scan when the connection is older than the agent.',
    counters,
  ),

  // How it ended.
  kernel('verdict', { enum: 'Verdict' }, '', 'Who closed first, or why it failed.', ended),
  kernel('errno', 'u16', '', 'Linux error number of the socket; 0 when none.', ended),
  kernel(
    'errno_known',
    'bool',
    '',
    'errno is what the kernel reported; false where no hook shows it.',
    ended,
  ),

  // Exact payload figures.
  kernel('bytes_sent', 'u64', 'bytes', 'Payload handed to the network at least once.', counters),
  kernel('bytes_delivered', 'u64', 'bytes', 'Payload the peer acknowledged.', counters),
  kernel('bytes_unsent', 'u32', 'bytes', 'Payload written by the application and never sent.', counters),
  kernel('bytes_received', 'u64', 'bytes', 'Payload received in order.', counters),
  kernel(
    'bytes_unread',
    'u32',
    'bytes',
    'Payload received that the application never read; 0 while a process may still read it.',
    counters,
  ),
  kernel(
    'local_drop_bytes',
    'u64',
    'bytes',
    'First transmissions dropped on this host before they left it.',
    counters,
  ),

  // The kernel's own counters, tcp_info names.
  kernel(
    'tcp_bytes_sent',
    'u64',
    'bytes',
    'tcpi_bytes_sent: payload sent, retransmissions and local drops included.',
    counters,
  ),
  kernel('tcp_bytes_retrans', 'u64', 'bytes', 'tcpi_bytes_retrans: payload sent again.', counters),
  kernel(
    'tcp_bytes_acked',
    'u64',
    'bytes',
    'tcpi_bytes_acked: sequence space acknowledged, SYN and FIN included.',
    counters,
  ),
  kernel(
    'tcp_bytes_received',
    'u64',
    'bytes',
    'tcpi_bytes_received: sequence space received, FIN included.',
    counters,
  ),
  kernel('segs_out', 'u32', 'segments', 'Segments sent.', counters),
  kernel('segs_in', 'u32', 'segments', 'Segments received.', counters),
  kernel('data_segs_out', 'u32', 'segments', 'Segments with payload sent.', counters),
  kernel('data_segs_in', 'u32', 'segments', 'Segments with payload received.', counters),
  kernel('total_retrans', 'u32', 'segments', 'Segments retransmitted, as the kernel counts them.', counters),
  kernel('lost', 'u32', 'segments', 'Segments now thought lost.', counters),
  kernel('unacked', 'u32', 'segments', 'Segments in flight.', counters),
  kernel('sacked', 'u32', 'segments', 'Segments in flight that were selectively acknowledged.', counters),
  kernel('retrans', 'u32', 'segments', 'Retransmitted segments in flight.', counters),
  kernel('delivered', 'u32', 'segments', 'Segments delivered.', counters),
  kernel('delivered_ce', 'u32', 'segments', 'Segments delivered with a congestion mark (ECN CE).', counters),
  kernel('reord_seen', 'u32', 'events', 'Times reordering was seen.', counters),
  kernel('rcv_ooopack', 'u32', 'segments', 'Segments received out of order.', counters),
  kernel('dsack_dups', 'u32', 'segments', 'Duplicates the peer reported (D-SACK).', counters),
  kernel('total_rto', 'u16', 'events', 'Retransmission timeouts (kernel 6.7 and later).', counters),
  kernel('total_rto_recoveries', 'u16', 'events', 'Recoveries by timeout (kernel 6.7 and later).', counters),
  kernel('total_rto_time_ms', 'u32', 'ms', 'Time in recovery by timeout (kernel 6.7 and later).', counters),
  kernel('rtt_us', 'u32', 'us', 'Smoothed round-trip time.', counters),
  kernel('rttvar_us', 'u32', 'us', 'Variation of the round-trip time.', counters),
  kernel(
    'min_rtt_us',
    'u32',
    'us',
    "Smallest round-trip time in the kernel's window; 0 before the first sample.",
    counters,
  ),
  kernel('rcv_rtt_us', 'u32', 'us', "The receiver's estimate of the round-trip time.", counters),
  kernel('rto_us', 'u32', 'us', 'Retransmission timeout now.', counters),
  kernel('snd_cwnd', 'u32', 'segments', 'Congestion window.', counters),
  kernel(
    'snd_ssthresh',
    'u32',
    'segments',
    'Slow-start threshold; 2147483647 before the first loss.',
    counters,
  ),
  kernel('snd_mss', 'u32', 'bytes', 'Maximum segment size sent.', counters),
  kernel('rcv_mss', 'u32', 'bytes', 'Estimate of the maximum segment size received.', counters),
  kernel('advmss', 'u16', 'bytes', 'Maximum segment size announced.', counters),
  kernel('pmtu', 'u32', 'bytes', 'Path MTU.', counters),
  kernel('snd_wnd', 'u32', 'bytes', "The peer's receive window.", counters),
  kernel('rcv_wnd', 'u32', 'bytes', 'Receive window announced.', counters),
  kernel('rcv_space', 'u32', 'bytes', 'Receive buffer auto-tuning target.', counters),
  kernel('delivery_rate', 'u64', 'bytes/s', 'Most recent delivery rate.', counters),
  kernel('busy_time_us', 'u64', 'us', 'Time with data to send.', counters),
  kernel('rwnd_limited_us', 'u64', 'us', "Time stalled by the peer's receive window.", counters),
  kernel('sndbuf_limited_us', 'u64', 'us', 'Time stalled by the send buffer.', counters),
  kernel('probes', 'u8', 'segments', 'Zero-window or keep-alive probes unanswered.', counters),
  kernel('backoff', 'u8', '', 'Exponent of the timer back-off.', counters),
  kernel(
    'options',
    'u8',
    '',
    'tcpi_options bits: 1 timestamps, 2 SACK, 4 window scale, 8 ECN, 16 ECN seen, 32 SYN data, 64 µs timestamps, 128 fast-open child.',
    counters,
  ),
  kernel('ca_state', { enum: 'CaState' }, '', 'Congestion-avoidance state.', counters),
  kernel('congestion_control', 'name16', '', 'Congestion control algorithm.', counters),

  // Retransmitted segments by cause, counted at every one; local transmit failures apart.
  kernel('retrans_syn', 'u32', 'segments', 'SYN sent again.', counters),
  kernel('retrans_syn_ack', 'u32', 'segments', 'SYN-ACK sent again.', counters),
  kernel('retrans_rto', 'u32', 'segments', 'Sent again by the retransmission timer.', counters),
  kernel('retrans_loss_recovery', 'u32', 'segments', 'Sent again in recovery after a timeout.', counters),
  kernel('retrans_fast', 'u32', 'segments', 'Sent again in fast recovery.', counters),
  kernel('retrans_tail_loss_probe', 'u32', 'segments', 'Sent again as tail loss probe.', counters),
  kernel(
    'retrans_other',
    'u32',
    'segments',
    'Sent again for another cause, or for one that no program saw.',
    counters,
  ),
  kernel(
    'retrans_failed',
    'u32',
    'segments',
    'Retransmissions that failed on this host (kernel 6.17 and later).',
    counters,
  ),

  // One retransmission.
  kernel(
    'retransmit_cause',
    { enum: 'RetransmitCause' },
    '',
    'Why the segments were sent again.',
    retransmit,
  ),
  kernel('retransmit_segments', 'u32', 'segments', 'Segments in this retransmission.', retransmit),
  kernel('transmit_failed', 'bool', '', 'The retransmission failed on this host.', retransmit),

  // Resets, half-open handshakes, listeners.
  kernel('reset_direction', { enum: 'ResetDirection' }, '', 'sent or received.', {
    kinds: ['reset', 'close'],
  }),
  kernel('reset_reason_code', 'u16', '', "Kernel's number of the reset reason, different on each kernel.", {
    kinds: ['reset'],
    ringOnly: true,
  }),
  agent('reset_reason', 'text', '', "The kernel's reason for a reset sent.", { kinds: ['reset'] }),
  kernel('attempts', 'u32', 'events', 'SYN-ACKs sent without an answer.', { kinds: ['half_open'] }),
  kernel('accept_queue', 'u32', 'connections', 'Connections waiting for accept().', listener),
  kernel('accept_queue_max', 'u32', 'connections', 'Limit of that queue (the listen backlog).', listener),
  kernel('listen_drops', 'u64', 'connections', 'Handshakes dropped at the listener.', listener),

  // Folded connections.
  agent(
    'connections',
    'u32',
    'connections',
    'Connections that ended with this event: 1, more in a summary, 0 where the connection goes on.',
  ),
  agent('folded', 'u32', 'events', 'Numbered events folded into this row beside its own.', {
    kinds: ['summary'],
  }),
  agent(
    'rtt_histogram',
    'u32[]',
    'connections',
    'Folded connections by round-trip time, powers of two from 1 us.',
    {
      kinds: ['summary'],
    },
  ),
];

export const OWNER_FIELDS: readonly Field[] = [
  kernel('pid', 'u32', '', 'Process id in the initial namespace; 0 when the owner is not known.', {
    otel: 'process.pid',
  }),
  kernel('process_start_ts', 'time', 'us', 'Start of the process; with pid it names the process.', {
    otel: 'process.creation.time',
    codec: 'Delta(8), ZSTD(1)',
  }),
  kernel('uid', 'u32', '', 'User the process ran as.', { otel: 'process.user.id' }),
  kernel('comm', 'name16', '', "The kernel's short name of the process.", { otel: 'process.command' }),
  kernel('parent_pid', 'u32', '', 'Parent process id.', { otel: 'process.parent_pid' }),
  kernel('exec_id', 'u32', '', 'How many programs the process has run before this one.', { ringOnly: true }),
  kernel('cgroup_id', 'u64', '', 'cgroup v2 id of the process.'),
  agent(
    'executable',
    'text',
    '',
    'Path of the executable; empty when the process ended before it was read.',
    {
      otel: 'process.executable.path',
    },
  ),
  agent('command_line', 'string', '', 'Command line; off by default.', { otel: 'process.command_line' }),
  agent('parent_executable', 'text', '', "Path of the parent's executable."),
  agent('cgroup_path', 'text', '', 'cgroup path of the process.', { otel: 'process.linux.cgroup' }),
  agent('container_id', 'text', '', 'Container id out of the cgroup path.', { otel: 'container.id' }),
  agent('pod_uid', 'text', '', 'Kubernetes pod uid out of the cgroup path.', { otel: 'k8s.pod.uid' }),
  agent('systemd_unit', 'text', '', 'systemd unit out of the cgroup path.'),
  agent('process_network_namespace', 'u32', '', "Inode of the process's network namespace; 0 when not read."),
];

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

export const CPU_ACCOUNT: readonly BatchField[] = [
  b('cpu', 'u16', '', 'CPU.'),
  b('seq_last', 'u64', '', 'Last number the kernel gave on this CPU when the account was taken.'),
  b('rows', 'u64', 'events', 'Events written to the spool, numbers up to seq_last.'),
  b('rows_ahead', 'u64', 'events', 'Events written to the spool with numbers beyond seq_last.'),
  b('failed', 'u64', 'events', 'Events lost because a ring was full or their record could not be read.'),
  b('folded', 'u64', 'events', 'Events folded into summaries.'),
  b('filtered', 'u64', 'events', 'Events left out by a filter.'),
  b('spool_dropped', 'u64', 'events', 'Events dropped from a full spool.'),
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
    'Each connection that is older than this run and still open has been told by it.',
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
    'Events lost because a ring was full, by ring and kind.',
  ),
  b(
    'rules',
    {
      list: 'RuleCount',
      of: [
        b('rule', 'text', '', 'Folding or filter rule.'),
        b('folded', 'u64', 'events', 'Events it folded, cumulative.'),
        b('filtered', 'u64', 'events', 'Events it left out, cumulative.'),
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
        b('absent_runs', 'u64', 'events', 'Runs while no agent was there, cumulative.'),
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

/** Columns the consumer adds to each row of both tables: where the row came from. */
export const ORIGIN_FIELDS: readonly Field[] = [
  consumer('origin', 'text', '', 'Transport the row came by: topic, or spool:<host_id>:<agent_epoch>.'),
  consumer('origin_partition', 'u32', '', 'Partition of the topic; 0 for a spool.'),
  consumer('origin_offset', 'u64', '', 'Offset of the message, or batch_seq of a spool.', {
    codec: 'Delta(8), ZSTD(1)',
  }),
];

/** Column the consumer adds to each event. */
export const STORED_EVENT_FIELDS: readonly Field[] = [
  consumer(
    'ts_suspect',
    'bool',
    '',
    'ts is more than two days from the batch; the row is filed under the day of the batch.',
  ),
];

/** Fields of an Avro record in wire order: all but what the ring alone or the consumer carries. */
export function avroFields(fields: readonly Field[]): readonly Field[] {
  return fields.filter((field) => field.stage !== 'consumer' && !field.ringOnly);
}

/** An owner as batches carry it. */
export const AVRO_OWNER_FIELDS = avroFields(OWNER_FIELDS);
