/** What a row in the middle of a connection may say, by TCP_INFO read before and after it. Pure. */
import { between, type Check, derived, number, oneOf, type Wanted } from './check.ts';
import { CLOCK_SLACK_US } from './clock.ts';
import type { Fields } from './expected.ts';
import { CA_STATES, NO_SAMPLE } from './frozen.ts';
import type { Bracket, TcpInfo } from './reply.ts';
import type { Row } from './rows.ts';

export interface Reading {
  readonly at: Bracket;
  readonly info: TcpInfo;
  /** Bytes that the process had read by then, at least. */
  readonly received?: number;
}

/** Our name → the kernel's, of what only grows. */
const GROWING = {
  tcp_bytes_sent: 'bytes_sent',
  tcp_bytes_retrans: 'bytes_retrans',
  tcp_bytes_acked: 'bytes_acked',
  tcp_bytes_received: 'bytes_received',
  segs_out: 'segs_out',
  segs_in: 'segs_in',
  data_segs_out: 'data_segs_out',
  data_segs_in: 'data_segs_in',
  total_retrans: 'total_retrans',
  delivered: 'delivered',
  delivered_ce: 'delivered_ce',
  reord_seen: 'reord_seen',
  rcv_ooopack: 'rcv_ooopack',
  dsack_dups: 'dsack_dups',
  total_rto: 'total_rto',
  total_rto_recoveries: 'total_rto_recoveries',
} as const;

/** What only a segment from the peer changes. */
const BY_PEER: Readonly<Record<string, string>> = {
  rtt_us: 'rtt',
  rttvar_us: 'rttvar',
  min_rtt_us: 'min_rtt',
  rcv_rtt_us: 'rcv_rtt',
  rcv_mss: 'rcv_mss',
  snd_wnd: 'snd_wnd',
  sacked: 'sacked',
};

/** What only grows until a segment from the peer comes. */
const BY_TIMER = { rto_us: 'rto', backoff: 'backoff' } as const;

/** What only a segment from the peer changes, or the next retransmission. */
const BY_RETRANSMISSION: Readonly<Record<string, string>> = {
  snd_cwnd: 'snd_cwnd',
  snd_ssthresh: 'snd_ssthresh',
  lost: 'lost',
};

/**
 * What moves with no segment but by a timer's, in either direction. Not snd_mss: it follows the route, which an
 * interface that goes down takes away.
 */
const BY_SEGMENT: Readonly<Record<string, string>> = {
  rtt_us: 'rtt',
  rttvar_us: 'rttvar',
  min_rtt_us: 'min_rtt',
  rcv_mss: 'rcv_mss',
  snd_wnd: 'snd_wnd',
  snd_cwnd: 'snd_cwnd',
  snd_ssthresh: 'snd_ssthresh',
};

/** By which a reading is known to have been taken while no segment came or went, and no timer ran. */
const STANDING = {
  segs_in: 'segs_in',
  segs_out: 'segs_out',
  total_retrans: 'total_retrans',
  total_rto: 'total_rto',
  backoff: 'backoff',
} as const;

/** Of TCP_INFO, as the rows name them. */
export const STATES: Readonly<Record<number, string>> = {
  1: 'established',
  2: 'syn_sent',
  3: 'syn_received',
  4: 'fin_wait_1',
  5: 'fin_wait_2',
  8: 'close_wait',
  9: 'last_ack',
  11: 'closing',
};

const CLOSED = 7;

const ANY: Check = { text: 'anything', holds: () => true, cannotFail: true };

function mapValues<K extends string, T>(names: Readonly<Record<K, string>>, of: (name: string) => T) {
  const entries = Object.entries<string>(names).map(([ours, theirs]) => [ours, of(theirs)] as const);
  return Object.fromEntries(entries) as Record<K, T>;
}

interface Around {
  readonly before: TcpInfo | undefined;
  readonly after: TcpInfo | undefined;
}

/** The nearest readings on each side of a time; one that may have been at that time is on neither. */
function around(readings: readonly Reading[], { before, after }: Bracket): Around {
  return {
    before: readings.findLast(({ at }) => at.after + CLOCK_SLACK_US < before)?.info,
    // A closed socket has lost its queue, and with it what was counted of that.
    after: readings.find(({ at, info }) => at.before - CLOCK_SLACK_US > after && info['state'] !== CLOSED)
      ?.info,
  };
}

const tell = (info: TcpInfo | undefined, name: string): number | undefined => {
  const value = info?.[name];
  return value === NO_SAMPLE && name === 'min_rtt' ? 0 : value;
};

function grown({ before, after }: Around, name: string): Wanted {
  const most = tell(after, name) ?? Number.MAX_SAFE_INTEGER;
  return between(Math.min(tell(before, name) ?? 0, most), most);
}

const isStill = ({ before, after }: Around): boolean =>
  before !== undefined && after !== undefined && before['segs_in'] === after['segs_in'];

function fixed(sides: Around, name: string): Wanted {
  return isStill(sides) ? (tell(sides.after, name) ?? ANY) : ANY;
}

/** Counters of a row that the agent may have filled at any moment of the bracket. */
export function grownFields(readings: readonly Reading[], at: Bracket) {
  const sides = around(readings, at);
  return mapValues(GROWING, (theirs) => grown(sides, theirs));
}

/** Of a row told at any moment: as the reading says between which and the row no segment came or went. */
export function fieldsOfSameSegments(readings: readonly Reading[]): Fields {
  const sameOf = (row: Row): TcpInfo | undefined =>
    readings.find(({ info }) =>
      Object.entries(STANDING).every(([ours, theirs]) => (info[theirs] ?? row[ours]) === row[ours]),
    )?.info;
  return mapValues(BY_SEGMENT, (theirs) =>
    derived('as TCP_INFO with the same segments', (row) => tell(sameOf(row), theirs) ?? ANY),
  );
}

/** Of a row that tells of the moment of its `ts`, when a segment had just been sent again. */
export function fieldsAtRetransmission(readings: readonly Reading[]): Fields {
  // Every field asks for the same.
  const known = new WeakMap<Row, Around>();
  const sidesOf = (row: Row): Around => {
    const ts = number(row, 'ts');
    const sides = known.get(row) ?? around(readings, { before: ts, after: ts });
    known.set(row, sides);
    return sides;
  };
  const table = (
    names: Readonly<Record<string, string>>,
    of: (sides: Around, name: string, row: Row) => Wanted,
  ): Fields =>
    mapValues(names, (theirs) =>
      derived('as TCP_INFO read around it', (row) => of(sidesOf(row), theirs, row)),
    );
  // The last one before that reading, and no timer since that sent nothing: what stands there is of this one.
  const isLast = ({ after }: Around, row: Row): boolean =>
    after?.['total_retrans'] === row['total_retrans'] &&
    (after?.['total_rto'] ?? row['total_rto']) === row['total_rto'];
  return {
    ...table(GROWING, grown),
    ...table(BY_PEER, fixed),
    ...table(BY_TIMER, (sides, name) => (isStill(sides) ? grown(sides, name) : ANY)),
    ...table(BY_RETRANSMISSION, (sides, name, row) => (isLast(sides, row) ? fixed(sides, name) : ANY)),
    ca_state: derived('as its cause says', (row) => caState(row, sidesOf(row), isLast(sidesOf(row), row))),
  };
}

function caState(row: Row, sides: Around, isLast: boolean): Wanted {
  const known = isLast ? fixed(sides, 'ca_state') : ANY;
  if (typeof known === 'number') return CA_STATES[known] ?? 'unknown';
  const cause = String(row['retransmit_cause']);
  if (cause === 'fast') return 'recovery';
  return cause === 'tail_loss_probe' ? oneOf('open', 'disorder', 'cwr') : 'loss';
}

/** By TCP_INFO around it where the state was the same, else by the call that sent the FIN. */
export function stateAtRetransmission(readings: readonly Reading[], end: Bracket | undefined): Check {
  return derived('the state at its time', (row) => {
    if (row['retransmit_cause'] === 'syn') return 'syn_sent';
    const ts = number(row, 'ts');
    const { before, after } = around(readings, { before: ts, after: ts });
    const state = before?.['state'];
    if (state !== undefined && state === after?.['state']) return STATES[state] ?? 'unknown';
    if (end && ts > end.after + CLOCK_SLACK_US) return oneOf('fin_wait_1', 'closing', 'last_ack');
    if (!end || ts < end.before - CLOCK_SLACK_US) return oneOf('established', 'close_wait');
    return oneOf('established', 'close_wait', 'fin_wait_1', 'closing', 'last_ack');
  });
}
