/** What rows say together, against counters that the kernel keeps of the namespace and of the connection. */
import { atLeast, between, type Wanted } from './check.ts';
import type { Row } from './rows.ts';
import type { Snmp } from './snmp.ts';
import type { Untold } from './untold.ts';

export interface Sum {
  readonly what: string;
  readonly wanted: Wanted;
  readonly got: number;
  readonly lack?: Lack;
}

/**
 * Fewer were told than the kernel counted: what a skipped run of a program looks like.
 *
 * `sent` and `failed` together are all retransmissions of a namespace that have no row; `syn` and `part` are some of
 * them, seen from another side.
 */
export interface Lack {
  readonly of: 'sent' | 'failed' | 'syn' | 'part' | 'reset';
  /** Segments. */
  readonly count: number;
  /** The most that one row told. */
  readonly each: number;
}

const lacking = (of: Lack['of'], count: number, each = 1): Pick<Sum, 'lack'> =>
  count > 0 ? { lack: { of, count, each } } : {};

/** Between what a row says and its time. */
const ROW_APART_US = 1_000;

const CAUSES = ['syn', 'syn_ack', 'rto', 'loss_recovery', 'fast', 'tail_loss_probe', 'other'] as const;

const segments = (rows: readonly Row[]): number =>
  rows.reduce((sum, row) => sum + Number(row['retransmit_segments']), 0);

/** What the kernel knows of why, for whoever has to find out. */
const abortsOf = (snmp: Snmp): string =>
  Object.entries(snmp)
    .filter(([name, value]) => /Abort|EstabResets|AttemptFails|Overflow|ListenDrops/.test(name) && value > 0)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');

/** A sum of `wanted`, of which less may be told. */
const told = (what: string, wanted: number, got: number, of: Lack['of'], each = 1): Sum => ({
  what,
  wanted,
  got,
  ...lacking(of, wanted - got, each),
});

/** Those that failed on this host and had no row for it, as the kernel counts them. */
const failedUntold = (snmp: Snmp, untold: Untold): number =>
  untold.failedRetransmits ? (snmp['TCPRetransFail'] ?? 0) : 0;

/** Retransmissions by cause and resets sent of one namespace. */
export function namespaceSums(rows: readonly Row[], snmp: Snmp, untold: Untold): readonly Sum[] {
  const retransmits = rows.filter((row) => row['kind'] === 'retransmit');
  const counter = (name: string): number => snmp[name] ?? 0;
  const sent = retransmits.filter((row) => row['transmit_failed'] === false);
  const failed = segments(retransmits.filter((row) => row['transmit_failed'] === true));
  const of = (...causes: string[]): number =>
    segments(sent.filter((row) => causes.includes(String(row['retransmit_cause']))));
  const resets = rows.filter((row) => row['kind'] === 'reset' && row['reset_direction'] === 'sent').length;
  const each = Math.max(1, ...retransmits.map((row) => Number(row['retransmit_segments'])));
  return [
    told('RetransSegs', counter('RetransSegs'), segments(sent) + counter('TCPRetransFail'), 'sent', each),
    told('TCPSynRetrans', counter('TCPSynRetrans'), of('syn', 'syn_ack'), 'syn'),
    told('TCPFastRetrans', counter('TCPFastRetrans'), of('fast'), 'part'),
    told('TCPSlowStartRetrans', counter('TCPSlowStartRetrans'), of('loss_recovery'), 'part'),
    // A probe may also carry new data, which is no retransmission.
    { what: 'tail loss probes', wanted: between(0, counter('TCPLossProbes')), got: of('tail_loss_probe') },
    { what: 'no known cause', wanted: 0, got: of('other', 'unknown') },
    // What failed before it was tried is told (since 6.17), but in no counter of the kernel.
    ...(failed > 0
      ? [
          {
            what: 'failed',
            wanted: atLeast(counter('TCPRetransFail')),
            got: failed,
            ...lacking('failed', counter('TCPRetransFail') - failed, each),
          },
        ]
      : []),
    untold.resetReasons
      ? { what: 'OutRsts', wanted: between(0, counter('OutRsts')), got: resets }
      : told(`OutRsts (${abortsOf(snmp)})`, counter('OutRsts'), resets, 'reset'),
  ];
}

const retransmitsOf = (of: Row, rows: readonly Row[]): readonly Row[] =>
  rows.filter(
    (row) =>
      row['kind'] === 'retransmit' &&
      row['socket_cookie'] === of['socket_cookie'] &&
      row['generation'] === of['generation'],
  );

/** The retransmissions of one connection, told singly and in its last row. `snmp`: of its namespace. */
export function connectionSums(last: Row, rows: readonly Row[], snmp: Snmp, untold: Untold): readonly Sum[] {
  const own = retransmitsOf(last, rows);
  const sent = own.filter((row) => row['transmit_failed'] === false);
  const by = (cause: string): number => segments(sent.filter((row) => row['retransmit_cause'] === cause));
  const failed = segments(own) - segments(sent);
  const retransmitted = segments(sent);
  // What failed unseen is counted under no cause; the namespace may have other connections.
  const failedMost = failedUntold(snmp, untold);
  const upTo = (least: number, more: number): Wanted => (more === 0 ? least : between(least, least + more));
  const got = (name: string): number => Number(last[name]);
  const most = retransmitted + failed + failedMost;
  // What no program saw: of SYN-ACKs the kernel counts it in the connection, of all else it is under no cause.
  const unseen = (cause: string): number => {
    if (cause === 'syn_ack') return got('retrans_syn_ack') - by(cause);
    return cause === 'other' && !untold.failedRetransmits ? got('retrans_other') - by(cause) : 0;
  };
  return [
    ...CAUSES.map((cause) => ({
      what: `retrans_${cause}`,
      wanted: cause === 'other' ? upTo(by(cause), failedMost) : by(cause),
      got: got(`retrans_${cause}`),
      ...lacking('part', unseen(cause)),
    })),
    { what: 'retrans_failed', wanted: failed, got: got('retrans_failed') },
    // The kernel counts those that failed on their way, not those that failed before it.
    {
      what: 'total_retrans',
      wanted: between(retransmitted, most),
      got: got('total_retrans'),
      ...lacking('part', got('total_retrans') - most),
    },
  ];
}

/**
 * What a row in the middle of a connection says of its retransmissions, against those told until then. An `update` is
 * told at its `ts`, an `open` some time after it.
 */
export function sumsSoFar(row: Row, rows: readonly Row[]): readonly Sum[] {
  if (row['counters_since'] !== 'birth') return [];
  const own = retransmitsOf(row, rows);
  const ts = Number(row['ts']);
  const before = own.filter((one) => Number(one['ts']) < ts - ROW_APART_US);
  const until = row['kind'] === 'open' ? own : own.filter((one) => Number(one['ts']) < ts + ROW_APART_US);
  const by = (among: readonly Row[], cause: string): number =>
    segments(among.filter((one) => causeOf(one) === cause));
  return [...CAUSES, 'failed'].map((cause) => {
    const got = Number(row[`retrans_${cause}`]);
    const most = by(until, cause);
    return {
      what: `retrans_${cause} of ${row['kind']}`,
      wanted: between(by(before, cause), most),
      got,
      // As in a connection's last row, of SYN-ACKs the kernel counts what no program saw.
      ...lacking('part', cause === 'syn_ack' ? got - most : 0),
    };
  });
}

const causeOf = (row: Row): string =>
  row['transmit_failed'] === true ? 'failed' : String(row['retransmit_cause']);
