import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeBatch } from '@tcptrail/schemas/batch.ts';
import { EVENT_BYTES_MAX, encodeEvent } from '@tcptrail/schemas/generated/encode-event.ts';
import { RING_EVENT_BYTES } from '@tcptrail/schemas/generated/ring.ts';
import { BATCH_TYPE, plain } from '../../test/avsc-oracle.ts';
import { createRandom } from '../../test/random.ts';
import { randomEvent } from '../../test/random-event.ts';
import { sampleEnvelope } from '../../test/sample-batch.ts';

const ROUNDS = Number(process.env['TCPTRAIL_TEST_EVENTS'] ?? 4_000);

test(`avsc reads the same values out of ${ROUNDS} random events as the ring held`, () => {
  const random = createRandom(20260101);
  const perBatch = 500;
  const out = new Uint8Array(perBatch * EVENT_BYTES_MAX);
  for (let done = 0; done < ROUNDS; done += perBatch) {
    const expected: unknown[] = [];
    let position = 0;
    for (let index = 0; index < perBatch; index++) {
      const event = randomEvent(random, 1);
      const ring = new ArrayBuffer(RING_EVENT_BYTES);
      new Uint8Array(ring).set(event.ring);
      position = encodeEvent(new Uint32Array(ring), new Uint8Array(ring), 0, out, position, event.agent);
      expected.push(plain(event.expected));
    }
    const datum = encodeBatch(sampleEnvelope(), { bytes: out.subarray(0, position), count: perBatch });
    const read = BATCH_TYPE.fromBuffer(Buffer.from(datum)) as { events: unknown[] };
    assert.deepEqual(plain(read.events), expected);
  }
});
