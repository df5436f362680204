import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRefusals } from '../../src/consume/refusals.ts';
import { failure } from '../../src/errors.ts';

test('each partition waits twice as long after every try, until it is stored, and one of them is told', () => {
  const refusals = createRefusals({ waitMsFirst: 250, waitMsMax: 800 });
  const refused = failure('CONSUMER_LETTER_REFUSED', 'no');
  const add = (partition: number): number => refusals.add(partition, refused);
  assert.equal(refusals.first, undefined);
  assert.deepEqual([add(0), add(0), add(1), add(0), add(0)], [250, 500, 250, 800, 800]);
  assert.deepEqual([refusals.delete(0), refusals.delete(0)], [true, false]);
  assert.equal(refusals.first, refused);
  assert.equal(add(0), 250);
  refusals.clear();
  assert.equal(refusals.first, undefined);
});
