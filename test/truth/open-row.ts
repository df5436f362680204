/** Rows of a connection that lasts. */
import { all, between, type Check, derived, number, sameAs } from './check.ts';
import { CLOCK_SLACK_US } from './clock.ts';
import { ALL_SENT, deliveredSoFar, localDropsOf, receivedOf, receivedSoFar } from './connection-rows.ts';
import type { Expectation, Fields } from './expected.ts';
import { type Ended, keyOf, lifeFields } from './life-fields.ts';
import { ownerOfOpen } from './owner-fields.ts';
import { fieldsOfSameSegments, grownFields } from './readings.ts';

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
  return {
    ...grown,
    tcp_bytes_sent: all(reached, ALL_SENT),
    bytes_received: receivedSoFar(ended),
    local_drop_bytes: between(0, localDropsOf(life)),
    ...(holdUs === 0 ? NOTHING_YET : payloadSoFar(ended, since)),
    // What is set when the state has changed is not there yet in one that is told at once.
    ...(holdUs === 0 ? {} : fieldsOfSameSegments(life.readings)),
    ...(life.info
      ? {
          options: optionsSoFar(life.info['options'] ?? 0),
          congestion_control: life.congestionControl ?? '',
          advmss: life.info['advmss'] ?? 0,
        }
      : {}),
  };
}

const NOTHING_YET: Fields = { bytes_sent: 0, bytes_delivered: 0, bytes_unsent: 0, bytes_unread: 0 };

/** `since`: when it was told at the earliest. µs. */
function payloadSoFar(ended: Ended, since: number): Fields {
  const { life, fields } = ended;
  const left = fields['bytes_unread'];
  const readBefore = life.readings.findLast(({ at }) => at.after + CLOCK_SLACK_US < since)?.received ?? 0;
  const readInAll = receivedOf(ended) - (typeof left === 'number' ? left : 0);
  return {
    bytes_sent: between(0, life.sent),
    bytes_delivered: deliveredSoFar(life),
    bytes_unsent: derived('no more than was written', (row) =>
      between(0, life.sent - number(row, 'bytes_sent')),
    ),
    bytes_unread: derived('what arrived and was not read', (row) => {
      const received = number(row, 'bytes_received');
      return between(Math.max(0, received - readInAll), Math.max(0, received - readBefore));
    }),
  };
}

/** Of TCP_INFO: ECN_SEEN and SYN_DATA, which come when it is established. */
const LATER_OPTIONS = 16 | 32;

/** `atEnd`: those of the connection at its end. */
export const optionsSoFar = (atEnd: number): Check => ({
  text: `${atEnd}, or without what came later`,
  holds: (value) =>
    typeof value === 'number' &&
    (value & ~atEnd) === 0 &&
    (value & ~LATER_OPTIONS) === (atEnd & ~LATER_OPTIONS),
});
