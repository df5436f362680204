/** Rows of retransmissions of a connection. */
import { atLeast, between, derived, number, oneOf, type Wanted } from './check.ts';
import { inside } from './clock.ts';
import { deliveredSoFar, localDropsOf, receivedSoFar } from './connection-rows.ts';
import type { Expectation, Fields } from './expected.ts';
import { type Ended, keyOf, lifeFields } from './life-fields.ts';
import { ownerOfOpen } from './owner-fields.ts';
import { fieldsAtRetransmission, stateAtRetransmission } from './readings.ts';
import type { Row } from './rows.ts';
import type { RetransmitRows } from './truth.ts';

/** As many as the scenario knows of; the sums are compared elsewhere. */
export function retransmitRows(ended: Ended, { fields, least, most }: RetransmitRows): Expectation {
  const { life, namespace, listener, ts, about } = ended;
  const same = lifeFields(life, listener);
  return {
    kind: 'retransmit',
    namespace,
    key: keyOf(life),
    least,
    most,
    fields: {
      ...same,
      ...ownerOfOpen(life, listener),
      ts: inside({ before: life.start.before, after: ts.after }),
      ...timesOf(same),
      retransmit_segments: atLeast(1),
      retransmit_cause: oneOf('syn', 'syn_ack', 'rto', 'loss_recovery', 'fast', 'tail_loss_probe'),
      connections: 0,
      ...countersOf(ended),
      ...about,
      ...fields,
    },
  };
}

/** A SYN is sent again before the connection is established, a SYN-ACK before there is one. */
function timesOf(same: Fields): Fields {
  const unknownAt: Readonly<Record<string, readonly string[]>> = {
    start_ts: ['syn_ack'],
    duration_us: ['syn_ack'],
    established_ts: ['syn', 'syn_ack'],
    handshake_us: ['syn', 'syn_ack'],
  };
  return Object.fromEntries(
    Object.entries(unknownAt).map(([name, before]) => [
      name,
      derived('', (row) =>
        before.includes(String(row['retransmit_cause'])) ? 0 : (same[name] ?? '(absent)'),
      ),
    ]),
  );
}

const isSynAck = (row: Row): boolean => row['retransmit_cause'] === 'syn_ack';

/** A handshake has no socket that counts. */
function countersOf(ended: Ended): Fields {
  const { life } = ended;
  const { readings, sent, info, congestionControl } = life;
  const fields: Readonly<Record<string, readonly [Wanted, ofSynAck: Wanted]>> = {
    state: [stateAtRetransmission(readings, life.end), 'new_syn_received'],
    bytes_sent: [between(0, sent), 0],
    bytes_delivered: [deliveredSoFar(life), 0],
    bytes_received: [receivedSoFar(ended), 0],
    local_drop_bytes: [
      derived('tcp_bytes_sent - tcp_bytes_retrans - bytes_sent, no more than at the end', (row) => {
        const drops =
          number(row, 'tcp_bytes_sent') - number(row, 'tcp_bytes_retrans') - number(row, 'bytes_sent');
        return between(drops, Math.min(drops, localDropsOf(life)));
      }),
      0,
    ],
    ...(info ? { congestion_control: [congestionControl ?? '', ''] } : {}),
    ...Object.fromEntries(
      Object.entries(fieldsAtRetransmission(readings)).map(([name, wanted]) => [
        name,
        [wanted, name === 'ca_state' ? 'open' : 0] as const,
      ]),
    ),
  };
  return Object.fromEntries(
    Object.entries(fields).map(([name, [wanted, ofSynAck]]) => [
      name,
      derived('', (row) => (isSynAck(row) ? ofSynAck : wanted)),
    ]),
  );
}
