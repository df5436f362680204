/** The fields of an event: what happened, to which connection, whose it is, how it ended. */
import { COUNTER_FIELDS, counters } from './counters.ts';
import { agent, type Extra, type Field, kernel } from './field.ts';

const connection = {
  kinds: ['open', 'fail', 'update', 'close', 'retransmit', 'reset', 'half_open', 'summary'],
} satisfies Extra;
const ended = { kinds: ['fail', 'close', 'summary'] } satisfies Extra;
const retransmit = { kinds: ['retransmit'] } satisfies Extra;
const listener = { kinds: ['listen', 'unlisten', 'listener'] } satisfies Extra;

export const EVENT_FIELDS: readonly Field[] = [
  // What happened, when, and its place in the count of all events.
  kernel('kind', { enum: 'EventKind' }, '', 'What happened.'),
  kernel('ts', 'time', 'us', 'When it happened.', { codec: 'ZSTD(1)', summary: 'last' }),
  kernel('cpu', 'u16', '', 'CPU whose counter numbered the event.', { summary: 'last' }),
  kernel('seq', 'u64', '', 'Number of the event on its CPU within the kernel epoch, from 1, without gaps.', {
    codec: 'DoubleDelta, ZSTD(1)',
    summary: 'last',
  }),
  kernel('late', 'bool', '', 'The state change was not seen; reported when the socket was destroyed.', {
    summary: 'zero',
  }),

  // Which connection.
  kernel('socket_cookie', 'u64', '', "The kernel's number of the socket, unique within a boot.", {
    codec: 'DoubleDelta, ZSTD(1)',
    summary: 'last',
  }),
  kernel(
    'generation',
    'u32',
    '',
    'Which connection of that socket: one socket can carry several, one after another.',
    { summary: 'last' },
  ),
  kernel('role', { enum: 'Role' }, '', 'client called connect; server came from a listener.', {
    summary: 'same',
  }),
  kernel('family', { enum: 'Family' }, '', "The socket's address family.", {
    otel: 'network.type',
    summary: 'same',
  }),
  kernel('local_address', 'address', '', 'Address of this end; IPv4 is v4-mapped.', {
    otel: 'network.local.address',
    summary: 'same',
  }),
  kernel('local_port', 'u16', '', 'Port of this end; 0 in a summary of clients.', {
    otel: 'network.local.port',
  }),
  kernel('peer_address', 'address', '', 'Address of the other end; IPv4 is v4-mapped.', {
    otel: 'network.peer.address',
    summary: 'same',
  }),
  kernel('peer_port', 'u16', '', 'Port of the other end; 0 in a summary of servers.', {
    otel: 'network.peer.port',
  }),
  kernel('network_namespace', 'u32', '', "Inode of the socket's network namespace.", { summary: 'same' }),
  kernel('mptcp_subflow', 'bool', '', 'The socket is a subflow of a Multipath TCP connection.', {
    summary: 'zero',
  }),
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
    { summary: 'same' },
  ),
  kernel('socket_uid', 'u32', '', 'User that made the socket.', { summary: 'same' }),
  kernel('socket_cgroup_id', 'u64', '', 'cgroup v2 of the socket; 0 when it has none.', { summary: 'same' }),
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
    predicted: { plus: ['ts'], minus: ['duration_us'] },
  }),
  kernel(
    'established_ts',
    'time',
    'us',
    'When it was established; 1970 when it never was, or before the agent.',
    {
      ...connection,
      // Without a handshake it was never established, or before the agent.
      predicted: { plus: ['start_ts'], plusOfClient: 'handshake_us', unlessZero: 'handshake_us' },
    },
  ),
  kernel('handshake_us', 'u32', 'us', 'Client: SYN sent to established. Server: SYN-ACK sent to its ACK.', {
    ...connection,
    summary: 'mean',
  }),
  kernel('duration_us', 'u64', 'us', 'From start to this event; the sum over folded connections.', {
    ...connection,
    summary: 'sum',
  }),
  kernel(
    'counters_since',
    { enum: 'CountersSince' },
    '',
    'birth, or scan when the connection is older than the agent.',
    { ...counters, summary: 'zero' },
  ),

  // How it ended.
  kernel('verdict', { enum: 'Verdict' }, '', 'Who closed first, or why it failed.', {
    ...ended,
    summary: 'same',
  }),
  kernel('errno', 'u16', '', 'Linux error number of the socket; 0 when none.', { ...ended, summary: 'zero' }),
  kernel('errno_known', 'bool', '', 'errno is what the kernel reported; false where no hook shows it.', {
    ...ended,
    summary: 'same',
  }),

  ...COUNTER_FIELDS,

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
    summary: 'zero',
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
    'Folded connections by round-trip time: the first of 1 us, the next of 2 to 3, of 4 to 7, and so on.',
    {
      kinds: ['summary'],
    },
  ),
];
