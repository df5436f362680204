/** Rows of a connection from its first segment to its end. */
import { atLeast, type Check, number, oneOf, sameAs } from './check.ts';
import { inside } from './clock.ts';
import type { Expectation, Fields } from './expected.ts';
import { type Ended, keyOf, lifeFields } from './life-fields.ts';
import { ownerOfOpen } from './owner-fields.ts';
import type { Life } from './socket.ts';
import type { RetransmitRows } from './truth.ts';

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

/** As many as the scenario knows of; the sums are compared elsewhere. A SYN-ACK is sent again before there is a connection. */
export function retransmitRows(
  { life, namespace, listener, ts, about }: Ended,
  { fields, least, most }: RetransmitRows,
): Expectation {
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
    least,
    most,
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
      ...fields,
    },
  };
}
