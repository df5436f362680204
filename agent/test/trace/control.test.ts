import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONTROL_BYTES, createControl } from '../../src/trace/control.ts';

const ACTIVE = 0;
const BEAT = 1;
const ABSENT_JIFFIES = 2;
const ACTIVATED_TS = 3;

function controlIn(settings: { readonly jiffiesHz?: number } = {}) {
  const memory = new ArrayBuffer(CONTROL_BYTES);
  const words = new BigUint64Array(memory);
  const config = { absentMs: 1_500, jiffiesHz: 250, ...settings };
  return { words, control: createControl({ memory, offset: 0 }, config, () => 77n) };
}

test('a beat is another value each time, and revives no state that gave up', () => {
  const { words, control } = controlIn();
  control.activate(5, { isOlder: false });
  const before = words[BEAT];
  control.beat();
  assert.notEqual(words[BEAT], before);
  // As the programs do when no agent was there for long.
  words[ACTIVE] = 0n;
  control.beat();
  assert.equal(control.active, 0);
});

test('how long without an agent is too long is said in ticks of the kernel, the fastest when they are not known', () => {
  for (const [jiffiesHz, jiffies] of [
    [250, 375n],
    [0, 1_500n],
  ] as const) {
    const { words, control } = controlIn({ jiffiesHz });
    control.activate(5, { isOlder: false });
    assert.equal(words[ABSENT_JIFFIES], jiffies);
  }
});

test('a state that is gone on with takes how long is too long from the run that goes on', () => {
  const { words, control } = controlIn();
  control.activate(5, { isOlder: false });
  const beat = words[BEAT];
  words[ABSENT_JIFFIES] = 9n;
  control.goOn();
  assert.deepEqual([words[ABSENT_JIFFIES], control.active], [375n, 5]);
  assert.notEqual(words[BEAT], beat);
});

test('a state says when it took the place of one that recorded, since boot as the programs count it', () => {
  const { words, control } = controlIn();
  control.activate(5, { isOlder: false });
  assert.equal(words[ACTIVATED_TS], 0n);
  control.activate(6, { isOlder: true });
  assert.equal(words[ACTIVATED_TS], 77n);
  assert.deepEqual([control.active, control.isOlder], [6, true]);
});
