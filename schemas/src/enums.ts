/**
 * Every closed vocabulary once. The index of a symbol is its number in the ring record, in Avro and in
 * ClickHouse; symbol 0 is what an older reader shows for a symbol it does not know. Append only.
 */

/** RFC 9293's states in OpenTelemetry spelling; the index is Linux's TCP_* number. */
export const TCP_STATES = [
  'unknown',
  'established',
  'syn_sent',
  'syn_received',
  'fin_wait_1',
  'fin_wait_2',
  'time_wait',
  'closed',
  'close_wait',
  'last_ack',
  'listen',
  'closing',
  'new_syn_received',
] as const;

export const EVENT_KINDS = [
  'unknown',
  'open',
  'fail',
  'update',
  'close',
  'retransmit',
  'reset',
  'half_open',
  'listen',
  'unlisten',
  'listener',
  'summary',
] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

export const ROLES = ['unknown', 'client', 'server'] as const;

/** OpenTelemetry `network.type` of the socket; an IPv6 socket may carry IPv4-mapped addresses. */
export const FAMILIES = ['unknown', 'ipv4', 'ipv6'] as const;

/** Evidence for the owner: the hook that named the process. */
export const OWNER_SOURCES = [
  'unknown',
  'connect',
  'first_io',
  'close',
  'listener',
  'scan',
  'socket',
] as const;

/** How a connection ended. */
export const VERDICTS = [
  'unknown',
  'closed_local',
  'closed_peer',
  'closed_both',
  'reset_sent',
  'reset_received',
  'timed_out',
  'refused',
  'unreachable',
  'cancelled',
  'addr_not_avail',
  'denied',
  'unaccepted',
  'fin_wait_2_orphan',
  'disconnected',
] as const;

export const RETRANSMIT_CAUSES = [
  'unknown',
  'syn',
  'syn_ack',
  'rto',
  'loss_recovery',
  'fast',
  'tail_loss_probe',
  'other',
] as const;

export const RESET_DIRECTIONS = ['none', 'sent', 'received'] as const;

/** The index is Linux's TCP_CA_* number. */
export const CA_STATES = ['open', 'disorder', 'cwr', 'recovery', 'loss'] as const;

/** What the counters count from: the connection's birth, or the scan that found it. */
export const COUNTERS_SINCE = ['birth', 'scan'] as const;

export const PEER_NAME_SOURCES = ['none', 'dns', 'kubernetes', 'cloud', 'tcptrail'] as const;

/** Ring buffers: lifecycle events never wait behind retransmits, updates and resets. */
export const RINGS = ['lifecycle', 'chatter'] as const;

/** Avro enum name → symbols. */
export const ENUMS = {
  EventKind: EVENT_KINDS,
  Role: ROLES,
  Family: FAMILIES,
  OwnerSource: OWNER_SOURCES,
  TcpState: TCP_STATES,
  Verdict: VERDICTS,
  RetransmitCause: RETRANSMIT_CAUSES,
  ResetDirection: RESET_DIRECTIONS,
  CaState: CA_STATES,
  CountersSince: COUNTERS_SINCE,
  PeerNameSource: PEER_NAME_SOURCES,
  Ring: RINGS,
} as const satisfies Record<string, readonly string[]>;
export type EnumName = keyof typeof ENUMS;
