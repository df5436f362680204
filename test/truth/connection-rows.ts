/** Rows of a connection from its first segment to its end. */
import { all, atLeast, between, type Check, derived, number, sameAs, type Wanted } from './check.ts';
import { inside } from './clock.ts';
import type { Expectation, Fields } from './expected.ts';
import { type Ended, keyOf, lifeFields } from './life-fields.ts';
import { ownerOfOpen } from './owner-fields.ts';
import { grownFields } from './readings.ts';
import type { Life } from './socket.ts';

/** Whatever was handed to the host's network, once, again or in vain. */
const ALL_SENT = sameAs(
  'bytes_sent + tcp_bytes_retrans + local_drop_bytes',
  (row) => number(row, 'bytes_sent') + number(row, 'tcp_bytes_retrans') + number(row, 'local_drop_bytes'),
);

/** Bytes that this host dropped in first transmissions, at the end of the connection: none without TCP_INFO of it. */
export function localDropsOf({ info, sent }: Life): number {
  const { bytes_sent = 0, bytes_retrans = 0, notsent_bytes = 0 } = info ?? {};
  return Math.max(0, bytes_sent - bytes_retrans - (sent - notsent_bytes));
}

/** Bytes that had arrived at the end: the process may have left some unread. */
function receivedOf({ life, fields }: Pick<Ended, 'life' | 'fields'>): number {
  const told = fields['bytes_received'];
  return typeof told === 'number' ? told : life.received;
}

/** What arrived, in the middle of a connection: no more than at its end, and what the kernel counted but for a FIN. */
export const receivedSoFar = (ended: Ended): Check =>
  derived('tcp_bytes_received but for a FIN', (row) => {
    const counted = number(row, 'tcp_bytes_received');
    return between(Math.max(0, counted - 1), Math.min(counted, receivedOf(ended)));
  });

/** Counters of an end that has sent and received all, with nothing lost. */
function countersOf({ sent, received, info, congestionControl }: Life): Fields {
  return {
    bytes_sent: sent,
    bytes_delivered: sent,
    bytes_unsent: 0,
    bytes_received: received,
    bytes_unread: 0,
    local_drop_bytes: 0,
    tcp_bytes_sent: ALL_SENT,
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

/** SYNs, and at most a reset for them; of which cause each retransmission was, sums compare. */
const COUNTERS_OF_FAIL: Fields = {
  bytes_sent: 0,
  bytes_delivered: 0,
  bytes_unsent: 0,
  bytes_received: 0,
  bytes_unread: 0,
  local_drop_bytes: 0,
  tcp_bytes_sent: 0,
  tcp_bytes_retrans: 0,
  tcp_bytes_acked: 0,
  tcp_bytes_received: 0,
  data_segs_out: 0,
  data_segs_in: 0,
  segs_out: sameAs('total_retrans + 1', (row) => number(row, 'total_retrans') + 1),
  segs_in: derived('a reset', (row) => (row['reset_direction'] === 'received' ? 1 : 0)),
};

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
      ...COUNTERS_OF_FAIL,
      connections: 1,
      folded: 0,
      ...about,
      ...fields,
    },
  };
}

/** One when it surely lived longer than the hold, none when it surely did not. */
export function openRow(ended: Ended, holdUs: number): Expectation | undefined {
  const { life, namespace, listener, ts, about } = ended;
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
      ...openCounters(ended, holdUs),
      ts: sameAs('established_ts', (row) => number(row, 'established_ts')),
      state: 'established',
      connections: 0,
      errno: 0,
      verdict: 'unknown',
      ...about,
    },
  };
}

/** As they were when it was told: at once, or some time after the hold. */
function openCounters(ended: Ended, holdUs: number): Fields {
  const { life } = ended;
  const since = (life.established?.before ?? 0) + holdUs;
  const until = holdUs === 0 ? (life.established?.after ?? 0) : Number.POSITIVE_INFINITY;
  const { tcp_bytes_sent: reached, ...grown } = grownFields(life.readings, { before: since, after: until });
  const upTo = (most: number): Wanted => (holdUs === 0 ? 0 : between(0, most));
  return {
    ...grown,
    tcp_bytes_sent: all(reached, ALL_SENT),
    bytes_sent: upTo(life.sent),
    bytes_delivered: upTo(life.sent),
    bytes_received: receivedSoFar(ended),
    bytes_unread: upTo(receivedOf(ended)),
    local_drop_bytes: between(0, localDropsOf(life)),
    ...(life.info
      ? { congestion_control: life.congestionControl ?? '', advmss: life.info['advmss'] ?? 0 }
      : {}),
  };
}
