/** Rows of the end of a connection. */
import { atLeast, between, type Check, derived, number, sameAs } from './check.ts';
import { inside } from './clock.ts';
import type { Expectation, Fields } from './expected.ts';
import { type Ended, keyOf, lifeFields } from './life-fields.ts';
import type { Life } from './socket.ts';

/** Whatever was handed to the host's network, once, again or in vain. */
export const ALL_SENT = sameAs(
  'bytes_sent + tcp_bytes_retrans + local_drop_bytes',
  (row) => number(row, 'bytes_sent') + number(row, 'tcp_bytes_retrans') + number(row, 'local_drop_bytes'),
);

/** Bytes that this host dropped in first transmissions, at the end of the connection: none without TCP_INFO of it. */
export function localDropsOf({ info, sent }: Life): number {
  const { bytes_sent = 0, bytes_retrans = 0, notsent_bytes = 0 } = info ?? {};
  return Math.max(0, bytes_sent - bytes_retrans - (sent - notsent_bytes));
}

/** Bytes that had arrived at the end: the process may have left some unread. */
export function receivedOf({ life, fields }: Pick<Ended, 'life' | 'fields'>): number {
  const told = fields['bytes_received'];
  return typeof told === 'number' ? told : life.received;
}

/** What was acknowledged, in the middle of a connection: what the kernel counted but for a SYN and a FIN. */
export const deliveredSoFar = ({ role, sent }: Life): Check =>
  derived('tcp_bytes_acked but for SYN and FIN', (row) => {
    const delivered = Math.max(0, number(row, 'tcp_bytes_acked') - (role === 'client' ? 1 : 0));
    return between(Math.max(0, delivered - 1), Math.min(delivered, sent));
  });

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
