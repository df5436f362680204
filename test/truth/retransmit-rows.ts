/** Rows of retransmissions of a connection. */
import { atLeast, between, type Check, derived, number, oneOf, type Wanted } from './check.ts';
import { inside } from './clock.ts';
import { localDropsOf, receivedSoFar } from './connection-rows.ts';
import type { Expectation, Fields } from './expected.ts';
import { type Ended, keyOf, lifeFields } from './life-fields.ts';
import { ownerOfOpen } from './owner-fields.ts';
import { fieldsAtRetransmission, stateAtRetransmission } from './readings.ts';
import type { Row } from './rows.ts';
import type { RetransmitRows } from './truth.ts';

/** As many as the scenario knows of; the sums are compared elsewhere. A SYN-ACK is sent again before there is a connection. */
export function retransmitRows(ended: Ended, { fields, least, most }: RetransmitRows): Expectation {
  const { life, namespace, listener, ts, about } = ended;
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
      ...countersOf(ended),
      ...about,
      ...fields,
    },
  };
}

const isSynAck = (row: Row): boolean => row['retransmit_cause'] === 'syn_ack';

/** A handshake has no socket that counts. */
function countersOf(ended: Ended): Fields {
  const { life } = ended;
  const { readings, sent, info, congestionControl } = life;
  const fields: Readonly<Record<string, readonly [Wanted, ofSynAck: Wanted]>> = {
    state: [stateAtRetransmission(readings, life.end), 'new_syn_received'],
    bytes_sent: [between(0, sent), 0],
    bytes_delivered: [derived('no more than was sent', (row) => between(0, number(row, 'bytes_sent'))), 0],
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
