/**
 * What Zeek's conn_state says of a connection, in the words of an event.
 *
 * The originator is the local end. Where no end was seen, as Zeek writes a connection when it stops watching it, the
 * event is `late`; where the beginning was not seen its counters are since the scan.
 */
import type { COUNTERS_SINCE, EVENT_KINDS, VERDICTS } from '@tcptrail/schemas/enums.ts';

export interface Ending {
  readonly kind: Extract<(typeof EVENT_KINDS)[number], 'close' | 'fail'>;
  readonly verdict: (typeof VERDICTS)[number];
  /** The end was not seen. */
  readonly late?: true;
  readonly countersSince?: (typeof COUNTERS_SINCE)[number];
}

/** Zeek's documentation of Conn::Info, "conn_state". */
const ENDINGS: Readonly<Record<string, Ending>> = {
  // Connection attempt seen, no reply.
  S0: { kind: 'fail', verdict: 'timed_out' },
  // Connection attempt rejected.
  REJ: { kind: 'fail', verdict: 'refused' },
  // The originator sent a SYN and then a RST or FIN, no SYN-ACK was seen.
  RSTOS0: { kind: 'fail', verdict: 'cancelled' },
  SH: { kind: 'fail', verdict: 'cancelled' },
  // The responder sent a SYN-ACK and then a RST or FIN, no SYN was seen.
  RSTRH: { kind: 'close', verdict: 'reset_received', countersSince: 'scan' },
  SHR: { kind: 'close', verdict: 'closed_peer', countersSince: 'scan' },
  // Established, not terminated.
  S1: { kind: 'close', verdict: 'unknown', late: true },
  // Established, one end closed, no answer of the other seen.
  S2: { kind: 'close', verdict: 'closed_local', late: true },
  S3: { kind: 'close', verdict: 'closed_peer', late: true },
  // Established, then reset.
  RSTO: { kind: 'close', verdict: 'reset_sent' },
  RSTR: { kind: 'close', verdict: 'reset_received' },
  // Midstream traffic: neither beginning nor end.
  OTH: { kind: 'close', verdict: 'unknown', late: true, countersSince: 'scan' },
};

/** Undefined for a state that Zeek does not have. `history` tells who closed first: F the originator, f the responder. */
export function endingOf(connState: string, history: string): Ending | undefined {
  if (connState !== 'SF') return ENDINGS[connState];
  const first = /f/i.exec(history)?.[0];
  const verdict = first === 'F' ? 'closed_local' : first === 'f' ? 'closed_peer' : 'unknown';
  return { kind: 'close', verdict };
}
