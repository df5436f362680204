/** Rows that must be there, as a socket's log tells them. */
import { addressDigits } from './address.ts';
import { atLeast, between, type Check, number, oneOf, sameAs, type Wanted } from './check.ts';
import { inside, startOf } from './clock.ts';
import type { Bracket, Process } from './reply.ts';
import type { Row, Value } from './rows.ts';
import type { Endpoint, Life, Listening } from './socket.ts';

export type Fields = Readonly<Record<string, Wanted>>;

export interface Expectation {
  readonly kind: string;
  readonly namespace: number;
  /** Which rows it means. */
  readonly key: Readonly<Record<string, Value>>;
  readonly fields: Fields;
  readonly least: number;
  readonly most: number;
}

/** So that a row's own times agree to the microsecond they are cut to. */
const ROUND_US = 2;

const endpoints = (local: Endpoint, peer: Endpoint): Record<string, Wanted> => ({
  local_address: addressDigits(local.address),
  local_port: local.port,
  peer_address: addressDigits(peer.address),
  peer_port: peer.port,
});

export function ownerFields(process: Process, source: string | Check): Fields {
  return {
    owner_source: source,
    pid: process.pid,
    process_start_ts: startOf(process),
    uid: process.uid,
    comm: process.comm,
    parent_pid: process.parent,
    executable: process.executable,
    process_network_namespace: process.network_namespace,
    ...(process.cgroup_id > 0 ? { cgroup_id: process.cgroup_id, cgroup_path: process.cgroup_path } : {}),
  };
}

export const NO_OWNER: Fields = { pid: 0, comm: '', executable: '', parent_pid: 0, process_start_ts: 0 };

/** The ladder of evidence: connect, then first I/O, then close, then the listener. */
function lifeOwner(life: Life, listener: Listening | undefined): Fields {
  if (life.opener) return ownerFields(life.opener, 'connect');
  if (life.firstIo) return ownerFields(life.firstIo, 'first_io');
  if (life.closer) return ownerFields(life.closer, 'close');
  return listener ? ownerFields(listener.process, 'listener') : {};
}

/** Which connection, whose, and since when: in rows of every kind of it. */
export function lifeFields(life: Life, listener?: Listening): Fields {
  const { established, start, maker } = life;
  return {
    late: false,
    own: false,
    socket_cookie: life.cookie,
    generation: life.generation,
    role: life.role,
    family: life.family,
    ...endpoints(life.local, life.peer),
    mptcp_subflow: false,
    socket_uid: maker.uid,
    ...(maker.cgroup_id > 0 ? { socket_cgroup_id: maker.cgroup_id } : {}),
    ...lifeOwner(life, listener),
    counters_since: 'birth',
    start_ts: inside(start),
    established_ts: established ? inside(established) : 0,
    handshake_us: handshake(life),
    duration_us: sameAs('ts - start_ts', (row) => number(row, 'ts') - number(row, 'start_ts'), ROUND_US),
  };
}

function handshake({ role, established, start, isUnmeasured }: Life): Wanted {
  if (!established) return 0;
  if (role === 'server') return between(isUnmeasured ? 0 : 1, established.after - start.before);
  return sameAs(
    'established_ts - start_ts',
    (row) => number(row, 'established_ts') - number(row, 'start_ts'),
    2,
  );
}

/** Counters of an end that has sent and received all, with nothing lost. */
function countersOf({ sent, received, info, congestionControl }: Life): Fields {
  return {
    bytes_sent: sent,
    bytes_delivered: sent,
    bytes_unsent: 0,
    bytes_received: received,
    bytes_unread: 0,
    local_drop_bytes: 0,
    tcp_bytes_sent: sameAs(
      'bytes_sent + tcp_bytes_retrans + local_drop_bytes',
      (row) => number(row, 'bytes_sent') + number(row, 'tcp_bytes_retrans') + number(row, 'local_drop_bytes'),
    ),
    ...(info
      ? {
          options: info['options'] ?? 0,
          congestion_control: congestionControl ?? '',
          advmss: info['advmss'] ?? 0,
          segs_out: atLeast(info['segs_out'] ?? 0),
          segs_in: atLeast(info['segs_in'] ?? 0),
          data_segs_out: atLeast(info['data_segs_out'] ?? 0),
          data_segs_in: info['data_segs_in'] ?? 0,
          tcp_bytes_retrans: atLeast(info['bytes_retrans'] ?? 0),
        }
      : {}),
  };
}

const keyOf = ({ cookie, generation }: Life): Record<string, Value> => ({
  socket_cookie: cookie,
  generation,
});

export interface Ended {
  readonly life: Life;
  readonly namespace: number;
  readonly listener?: Listening | undefined;
  /** When the row may have happened. */
  readonly ts: Bracket;
  /** Over what the log says: of this row, and of all rows of the connection. */
  readonly fields: Fields;
  readonly about?: Fields | undefined;
}

export function closeRow({ life, namespace, listener, ts, fields, about }: Ended): Expectation {
  return {
    kind: 'close',
    namespace,
    key: keyOf(life),
    least: 1,
    most: 1,
    fields: {
      ...lifeFields(life, listener),
      ...countersOf(life),
      ts: inside(ts),
      errno: 0,
      errno_known: true,
      connections: 1,
      folded: 0,
      ...about,
      ...fields,
    },
  };
}

export function failRow({ life, namespace, ts, fields, about }: Ended): Expectation {
  return {
    kind: 'fail',
    namespace,
    key: keyOf(life),
    least: 1,
    most: 1,
    fields: {
      ...lifeFields(life),
      ts: inside(ts),
      errno_known: true,
      bytes_sent: 0,
      bytes_delivered: 0,
      bytes_received: 0,
      bytes_unread: 0,
      local_drop_bytes: 0,
      connections: 1,
      ...about,
      ...fields,
    },
  };
}

/** One when it surely lived longer than the hold, none when it surely did not. */
export function openRow(
  { life, namespace, listener, ts, about }: Ended,
  holdUs: number,
): Expectation | undefined {
  const { established } = life;
  if (!established) return undefined;
  const least = ts.before - established.after > holdUs ? 1 : 0;
  const most = ts.after - established.before < holdUs ? 0 : 1;
  return {
    kind: 'open',
    namespace,
    key: keyOf(life),
    least,
    most,
    fields: {
      ...lifeFields(life, listener),
      ...ownerOfOpen(life, listener),
      ts: sameAs('established_ts', (row) => number(row, 'established_ts')),
      state: 'established',
      connections: 0,
      errno: 0,
      verdict: 'unknown',
      ...about,
    },
  };
}

/** What is known of the owner grows: an `open` may come before the first I/O. */
function ownerOfOpen(life: Life, listener: Listening | undefined): Fields {
  if (life.opener || !listener) return {};
  const processes = [listener.process, life.firstIo, life.closer].filter((process) => process !== undefined);
  return {
    owner_source: oneOf('listener', 'first_io', 'close'),
    pid: oneOf(...processes.map(({ pid }) => pid)),
    comm: oneOf(...processes.map(({ comm }) => comm)),
    parent_pid: oneOf(...processes.map(({ parent }) => parent)),
    process_start_ts: atLeast(1),
    executable: oneOf(...processes.map(({ executable }) => executable)),
    uid: oneOf(...processes.map(({ uid }) => uid)),
  };
}

/** As many as there were; the sums are compared elsewhere. A SYN-ACK is sent again before there is a connection. */
export function retransmitRows({ life, namespace, listener, ts, about }: Ended): Expectation {
  const start = inside(life.start);
  const established = inside(life.established ?? { before: 0, after: 0 });
  const orSynAck = (check: Check): Check => ({
    text: `${check.text}, or 0 for a SYN-ACK or an end that is not established`,
    holds: (value, row) => value === 0 || check.holds(value, row),
  });
  return {
    kind: 'retransmit',
    namespace,
    key: keyOf(life),
    least: 0,
    most: Number.POSITIVE_INFINITY,
    fields: {
      ...lifeFields(life, listener),
      ...ownerOfOpen(life, listener),
      ts: inside({ before: life.start.before, after: ts.after }),
      start_ts: orSynAck(start),
      established_ts: orSynAck(established),
      handshake_us: atLeast(0),
      duration_us: atLeast(0),
      retransmit_segments: atLeast(1),
      retransmit_cause: oneOf('syn', 'syn_ack', 'rto', 'loss_recovery', 'fast', 'tail_loss_probe'),
      connections: 0,
      ...about,
    },
  };
}

export function listenRows(
  { cookie, family, process, local, backlog, start }: Listening,
  at: { readonly namespace: number; readonly end: number; readonly unlisten: Fields },
): readonly Expectation[] {
  const fields: Fields = {
    late: false,
    own: false,
    family,
    role: 'server',
    local_address: addressDigits(local.address),
    local_port: local.port,
    peer_port: 0,
    peer_address: oneOf('0'.repeat(32), addressDigits('0.0.0.0')),
    socket_cookie: cookie,
    socket_uid: process.uid,
    ...ownerFields(process, 'listener'),
    accept_queue_max: backlog,
    connections: 0,
  };
  const row = (kind: string, ts: Check, more: Fields): Expectation => ({
    kind,
    namespace: at.namespace,
    key: { socket_cookie: cookie },
    least: 1,
    most: 1,
    fields: { ...fields, ts, ...more },
  });
  return [
    row('listen', inside(start), { accept_queue: 0, listen_drops: 0 }),
    row('unlisten', inside({ before: start.after, after: at.end }), at.unlisten),
  ];
}

export const isRow = (row: Row, { kind, key }: Expectation): boolean =>
  row['kind'] === kind && Object.entries(key).every(([name, value]) => row[name] === value);

/** A reset of a connection; its reason is that of the kernel, for one sent. */
export function resetRow(
  { life, namespace, listener, ts, fields, about }: Ended,
  direction: string,
): Expectation {
  const { counters_since: _since, ...same } = lifeFields(life, listener);
  return {
    kind: 'reset',
    namespace,
    key: { ...keyOf(life), reset_direction: direction },
    least: 1,
    most: 1,
    fields: { ...same, ts: inside(ts), duration_us: atLeast(0), connections: 0, ...about, ...fields },
  };
}

/** A reset sent where there was no socket. */
export function strayResetRow(
  [local, peer]: readonly [Endpoint, Endpoint],
  at: { readonly namespace: number; readonly ts: Bracket; readonly family: string },
): Expectation {
  return {
    kind: 'reset',
    namespace: at.namespace,
    key: { socket_cookie: 0, local_port: local.port, peer_port: peer.port },
    least: 1,
    most: 1,
    fields: {
      ...endpoints(local, peer),
      ...NO_OWNER,
      family: at.family,
      reset_direction: 'sent',
      reset_reason: 'no_socket',
      role: 'unknown',
      generation: 0,
      ts: inside(at.ts),
      connections: 0,
      late: false,
    },
  };
}

/** On a busy machine a late segment may meet no connection any more; the kernel's count tells whether one did. */
export function lateResetRows({ life, namespace, ts }: Ended): Expectation {
  return {
    kind: 'reset',
    namespace,
    key: {
      socket_cookie: 0,
      local_port: life.local.port,
      peer_port: life.peer.port,
      reset_direction: 'sent',
    },
    least: 0,
    most: Number.POSITIVE_INFINITY,
    fields: {
      ...endpoints(life.local, life.peer),
      generation: 0,
      late: false,
      connections: 0,
      ts: inside({ before: life.start.before, after: ts.after }),
    },
  };
}
