/** One made connection, and the ring records that tell of it. */
import {
  CA_STATES,
  EVENT_KINDS,
  FAMILIES,
  OWNER_SOURCES,
  RESET_DIRECTIONS,
  RETRANSMIT_CAUSES,
  ROLES,
  TCP_STATES,
  VERDICTS,
} from '@tcptrail/schemas/enums.ts';
import { RING, RING_EVENT_BYTES } from '@tcptrail/schemas/generated/ring.ts';
import type { Draws } from './draws.ts';
import { type Flow, hostAddress } from './flows.ts';

export type Kind = 'open' | 'update' | 'retransmit' | 'close' | 'fail' | 'reset' | 'half_open';

/** Times are µs since the host booted. */
export interface Connection {
  readonly flow: Flow;
  /** Index of the flow, which is that of its owner. */
  readonly owner: number;
  readonly host: number;
  readonly cpu: number;
  readonly cookie: number;
  readonly localPort: number;
  readonly peer: number;
  readonly peerPort: number;
  readonly startUs: number;
  readonly handshakeUs: number;
  readonly endUs: number;
  readonly failed: boolean;
  readonly verdict: (typeof VERDICTS)[number];
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** Segments sent again. */
  readonly again: number;
  readonly cause: (typeof RETRANSMIT_CAUSES)[number];
  readonly rttUs: number;
  readonly rttvarUs: number;
  readonly minRttUs: number;
}

export interface Listener {
  readonly host: number;
  readonly cookie: number;
  readonly port: number;
}

const MSS = 1448;
const EPHEMERAL = { first: 32_768, size: 28_232 };
const ERRNO: Readonly<Record<string, number>> = { refused: 111, timed_out: 110, unreachable: 113 };
const WINDOWS = [64_256, 65_280, 65_535, 501_760, 29_200] as const;

export function drawConnection(
  draws: Draws,
  at: {
    readonly flow: Flow;
    readonly owner: number;
    readonly host: number;
    readonly cpu: number;
    readonly cookie: number;
    readonly startUs: number;
  },
): Connection {
  const { flow, host, startUs } = at;
  const peer = drawPeer(draws, flow);
  const ephemeral = EPHEMERAL.first + draws.below(EPHEMERAL.size);
  // A path has its own round trip, which its connections have within a little.
  const path = flow.rttUs[0] * Math.exp(flow.rttUs[1] * (2 * scattered(peer + host * 7) - 1));
  const minRttUs = draws.logNormal(path, 0.08);
  const rttUs = minRttUs + draws.logNormal(minRttUs * 0.12, 0.7);
  const failed = draws.happens(flow.failures);
  const again = draws.happens(failed ? 0.6 : flow.lossy) ? 1 + draws.below(3) : 0;
  const durationUs = failed
    ? again > 0
      ? 1_000_000 * (2 ** again - 1) + draws.below(9_000)
      : rttUs
    : draws.logNormal(flow.durationUs[0], flow.durationUs[1]);
  const handshakeUs = failed ? 0 : minRttUs + draws.logNormal(minRttUs * 0.05, 0.5);
  return {
    ...at,
    localPort: flow.role === 'server' ? flow.port : ephemeral,
    peer,
    peerPort: flow.role === 'server' ? ephemeral : flow.port,
    handshakeUs,
    // Of a server's the handshake is before its start.
    endUs: startUs + durationUs + (flow.role === 'client' ? handshakeUs : 0),
    failed,
    verdict: failed
      ? again > 0
        ? 'timed_out'
        : 'refused'
      : (ENDS[draws.oneOf(ENDS_SHARES)] ?? 'closed_local'),
    bytesSent: failed ? 0 : draws.logNormal(flow.sent[0], flow.sent[1]),
    bytesReceived: failed ? 0 : draws.logNormal(flow.received[0], flow.received[1]),
    again,
    cause: failed ? 'syn' : again > 0 ? (CAUSES[draws.oneOf(CAUSES_SHARES)] ?? 'rto') : 'unknown',
    rttUs,
    rttvarUs: draws.logNormal(rttUs * 0.2, 0.6),
    minRttUs,
  };
}

const ENDS = [
  'closed_local',
  'closed_peer',
  'reset_received',
  'reset_sent',
  'closed_both',
  'timed_out',
] as const;
const ENDS_SHARES = [0.62, 0.34, 0.02, 0.012, 0.005, 0.003];
const CAUSES = ['fast', 'tail_loss_probe', 'rto'] as const;
const CAUSES_SHARES = [0.5, 0.3, 0.2];

function drawPeer(draws: Draws, { peers }: Flow): number {
  if (peers.skew === 'even') return peers.first + draws.below(peers.size);
  // Neighbours in rank are no neighbours in address.
  return peers.first + ((draws.zipf(peers.size) * 1_640_531) % peers.size);
}

/** In [0, 1), the same for the same number. */
function scattered(number: number): number {
  return (Math.imul(number, 0x9e3779b1) >>> 0) / 0x1_0000_0000;
}

/** Writes records of one ring, one after another in the same place. */
export function createRecord(draws: Draws) {
  const ring = Buffer.from(new ArrayBuffer(RING_EVENT_BYTES));
  const words = new Uint32Array(ring.buffer);
  const shorts = new Uint16Array(ring.buffer);
  const u32 = (at: number, value: number): void => {
    words[at >> 2] = value;
  };
  const u64 = (at: number, value: number): void => {
    words[at >> 2] = value >>> 0;
    words[(at >> 2) + 1] = Math.floor(value / 0x1_0000_0000);
  };

  /** `tsUs`: when it happens; of a connection that goes on the counters are in step with its time. */
  function write(connection: Connection, kind: Kind, tsUs: number, seq: number): void {
    words.fill(0);
    const { flow } = connection;
    u64(RING.ts, tsUs * 1000);
    u64(RING.seq, seq);
    u64(RING.socket_cookie, connection.cookie);
    address(RING.local_address, hostAddress(connection.host));
    address(RING.peer_address, connection.peer);
    shorts[RING.local_port >> 1] = connection.localPort;
    shorts[RING.peer_port >> 1] = connection.peerPort;
    shorts[RING.cpu >> 1] = connection.cpu;
    ring[RING.kind] = EVENT_KINDS.indexOf(kind);
    ring[RING.role] = ROLES.indexOf(flow.role);
    ring[RING.family] = FAMILIES.indexOf('ipv4');
    ring[RING.owner_source] = OWNER_SOURCES.indexOf(flow.role === 'server' ? 'first_io' : 'connect');
    u32(RING.network_namespace, 4_026_531_840);
    u32(RING.socket_uid, flow.uid);
    u64(RING.socket_cgroup_id, 4_000 + connection.owner);
    u64(RING.start_ts, connection.startUs * 1000);
    u64(RING.duration_us, tsUs - connection.startUs);
    ring[RING.options] = 7;
    ring.write('cubic', RING.congestion_control, 'latin1');
    u32(RING.snd_mss, MSS);
    u32(RING.advmss, MSS);
    u32(RING.pmtu, 1500);
    if (kind === 'half_open') halfOpen(connection);
    else if (connection.failed) failure(connection, kind);
    else established(connection, kind, tsUs);
  }

  function halfOpen({ again }: Connection): void {
    ring[RING.state] = TCP_STATES.indexOf('new_syn_received');
    u32(RING.attempts, 1 + again);
    u32(RING.retrans_syn_ack, again);
  }

  /** A listener on a port of a host, told when it began. */
  function writeListener(at: Listener, tsUs: number, seq: number): void {
    words.fill(0);
    u64(RING.ts, tsUs * 1000);
    u64(RING.seq, seq);
    u64(RING.socket_cookie, at.cookie);
    shorts[RING.local_port >> 1] = at.port;
    ring[RING.kind] = EVENT_KINDS.indexOf('listen');
    ring[RING.role] = ROLES.indexOf('server');
    ring[RING.family] = FAMILIES.indexOf('ipv6');
    ring[RING.state] = TCP_STATES.indexOf('listen');
    ring[RING.owner_source] = OWNER_SOURCES.indexOf('listener');
    u32(RING.network_namespace, 4_026_531_840);
    u32(RING.accept_queue_max, 4_096);
  }

  function failure({ again, verdict }: Connection, kind: Kind): void {
    ring[RING.state] = TCP_STATES.indexOf('syn_sent');
    u32(RING.snd_cwnd, again > 0 ? 1 : 10);
    u32(RING.snd_ssthresh, again > 0 ? 7 : 0x7fff_ffff);
    u32(RING.rto_us, 1_000_000 * 2 ** again);
    u32(RING.total_retrans, again);
    u32(RING.retrans_syn, again);
    u32(RING.segs_out, 1 + again);
    if (kind !== 'fail') return;
    ring[RING.verdict] = VERDICTS.indexOf(verdict);
    shorts[RING.errno >> 1] = ERRNO[verdict] ?? 0;
    ring[RING.errno_known] = 1;
  }

  function established(connection: Connection, kind: Kind, tsUs: number): void {
    const { flow, startUs, endUs, handshakeUs, rttUs, rttvarUs, again, verdict } = connection;
    const isClient = flow.role === 'client';
    const done = kind === 'close' ? 1 : Math.min(1, (tsUs - startUs) / (endUs - startUs));
    const sent = Math.ceil(connection.bytesSent * done);
    const received = Math.ceil(connection.bytesReceived * done);
    const dataOut = Math.ceil(sent / MSS) + (kind === 'close' ? draws.below(2) : 0);
    const dataIn = Math.ceil(received / MSS);
    const segsOut = dataOut + (dataIn >> 1) + 2 + draws.below(2);
    u64(RING.established_ts, (startUs + (isClient ? handshakeUs : 0)) * 1000);
    u32(RING.handshake_us, handshakeUs);
    u64(RING.bytes_sent, sent);
    u64(RING.bytes_delivered, sent);
    u64(RING.bytes_received, received);
    u64(RING.tcp_bytes_sent, sent + again * MSS);
    u64(RING.tcp_bytes_retrans, again * MSS);
    u64(RING.tcp_bytes_acked, sent + 1);
    u64(RING.tcp_bytes_received, received + (kind === 'close' ? 1 : 0));
    u32(RING.segs_out, segsOut);
    u32(RING.segs_in, dataIn + (dataOut >> 1) + 2 + draws.below(2));
    u32(RING.data_segs_out, dataOut);
    u32(RING.data_segs_in, dataIn);
    u32(RING.delivered, dataOut + 1);
    u32(RING.total_retrans, again);
    u32(RING.rtt_us, rttUs);
    u32(RING.rttvar_us, rttvarUs);
    u32(RING.min_rtt_us, connection.minRttUs);
    u32(RING.rcv_rtt_us, dataIn > 4 ? draws.logNormal(rttUs, 0.3) : 0);
    // The kernel counts it in ticks of 4 ms.
    u32(RING.rto_us, 4_000 * Math.ceil((rttUs + Math.max(200_000, 4 * rttvarUs)) / 4_000));
    u32(RING.snd_cwnd, again > 0 ? 5 + draws.below(12) : Math.min(10 + dataOut, 180));
    u32(RING.snd_ssthresh, again > 0 ? 7 + draws.below(20) : 0x7fff_ffff);
    u32(RING.rcv_mss, dataIn > 1 ? MSS : 536);
    u32(
      RING.snd_wnd,
      draws.happens(0.7) ? (WINDOWS[draws.below(WINDOWS.length)] ?? 0) : 128 * (200 + draws.below(4_000)),
    );
    u32(RING.rcv_wnd, received > 65_000 ? 128 * draws.logNormal(1_200, 0.6) : 64_256);
    u32(RING.rcv_space, received > 65_000 ? draws.logNormal(90_000, 0.5) : 14_480);
    // Segments of one window over the time until they were acknowledged, as the kernel reckons it.
    u64(RING.delivery_rate, Math.floor((Math.min(dataOut, 10) * MSS * 1e6) / draws.logNormal(rttUs, 0.25)));
    u64(RING.busy_time_us, 4_000 * Math.ceil(((1 + Math.log2(1 + dataOut / 10)) * rttUs) / 4_000));
    cause(connection);
    if (kind === 'retransmit') {
      ring[RING.retransmit_cause] = RETRANSMIT_CAUSES.indexOf(connection.cause);
      u32(RING.retransmit_segments, 1);
      ring[RING.ca_state] = CA_STATES.indexOf('recovery');
      u32(RING.unacked, 1 + draws.below(10));
      u32(RING.lost, 1);
    }
    const direction = verdict === 'reset_sent' ? 'sent' : verdict === 'reset_received' ? 'received' : 'none';
    if (kind === 'close') {
      ring[RING.state] = TCP_STATES.indexOf(verdict === 'closed_peer' ? 'last_ack' : 'time_wait');
      ring[RING.verdict] = VERDICTS.indexOf(verdict);
      ring[RING.errno_known] = 1;
      ring[RING.reset_direction] = RESET_DIRECTIONS.indexOf(direction);
    } else ring[RING.state] = TCP_STATES.indexOf('established');
    if (kind === 'reset') ring[RING.reset_direction] = RESET_DIRECTIONS.indexOf(direction);
  }

  function cause({ cause: why, again }: Connection): void {
    if (why === 'fast') u32(RING.retrans_fast, again);
    else if (why === 'tail_loss_probe') u32(RING.retrans_tail_loss_probe, again);
    else if (why === 'rto') {
      u32(RING.retrans_rto, again);
      shorts[RING.total_rto >> 1] = again;
    }
  }

  function address(at: number, ipv4: number): void {
    words[(at >> 2) + 2] = 0xffff_0000;
    ring.writeUInt32BE(ipv4, at + 12);
  }

  return { words, ring, write, writeListener };
}
