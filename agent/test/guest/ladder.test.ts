import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Ceilings, createLadder } from '../../src/guest/ladder.ts';

const CEILINGS: Ceilings = { cpuPercentMax: 50, memoryBytesMax: 1_000, checkMs: 1_000, quietMs: 3_000 };
const STEPS = ['first', 'second', 'last'];

function climbing(ceilings: Partial<Ceilings> = {}, patience = 1) {
  const told: string[] = [];
  let nowMs = 0;
  let cpuUs = 0;
  let memoryBytes = 0;
  const ladder = createLadder(
    { ...CEILINGS, ...ceilings },
    {
      steps: STEPS.map((name) => ({
        name,
        cost: `what ${name} tells`,
        giveUp: () => told.push(`-${name}`),
        takeBack: () => told.push(`+${name}`),
        ...(name === 'last' && { patience }),
      })),
      usage: () => ({ cpuUs, memoryBytes }),
      onGivenUp: ({ name }) => told.push(`told -${name}`),
      onTakenBack: (name) => told.push(`told +${name}`),
    },
  );
  ladder.check(nowMs);
  /** A second at `cpuPercent` of a core; gives what was done then. */
  function second(cpuPercent: number, memory = 0): readonly string[] {
    nowMs += 1_000;
    cpuUs += cpuPercent * 10_000;
    memoryBytes = memory;
    ladder.check(nowMs);
    return told.splice(0).filter((what) => !what.startsWith('told'));
  }
  return { ladder, told, second };
}

test('beyond a ceiling one step is given up at each look, in order, and then no more', () => {
  const { ladder, second } = climbing();
  assert.deepEqual(second(50), []);
  assert.deepEqual(
    [second(50.1), second(99), second(51), second(100)],
    [['-first'], ['-second'], ['-last'], []],
  );
  assert.deepEqual(
    ladder.givenUp.map(({ name }) => name),
    STEPS,
  );
});

test('what was given up last comes back first, a quiet time apart', () => {
  const { ladder, second } = climbing();
  second(90);
  second(90);
  const after = Array.from({ length: 8 }, () => second(10));
  assert.deepEqual(after, [[], [], ['+second'], [], [], ['+first'], [], []]);
  assert.deepEqual(ladder.givenUp, []);
});

test('near the ceiling nothing comes back, and the quiet time begins again', () => {
  const { second } = climbing();
  second(90);
  assert.deepEqual([second(10), second(10), second(41), second(10), second(10)].flat(), []);
  assert.deepEqual(second(10), ['+first']);
});

test('a step with patience waits as many times as long', () => {
  const { second } = climbing({}, 3);
  for (let count = 0; count < 3; count++) second(90);
  const after = Array.from({ length: 12 }, () => second(0).join());
  assert.deepEqual(after, ['', '', '', '', '', '', '', '', '+last', '', '', '+second']);
});

test('memory has a ceiling of its own, and the reason says which one it was', () => {
  const { ladder, second } = climbing();
  assert.deepEqual(second(1, 1_000), []);
  assert.deepEqual(second(1, 1_001), ['-first']);
  assert.deepEqual(second(80, 1), ['-second']);
  assert.deepEqual(ladder.givenUp, [
    {
      name: 'first',
      cost: 'what first tells',
      reason: 'the agent took 1001 bytes of memory, guest.memoryBytesMax is 1000',
    },
    {
      name: 'second',
      cost: 'what second tells',
      reason: 'the agent took 80.0 % of a core, guest.cpuPercentMax is 50',
    },
  ]);
});

test('a ceiling of 0 is none', () => {
  const { second } = climbing({ cpuPercentMax: 0, memoryBytesMax: 0 });
  assert.deepEqual(second(1_000, 1e12), []);
});

test('what the start took does not count', () => {
  const used = { cpuUs: 60_000_000, memoryBytes: 0 };
  const told: string[] = [];
  const ladder = createLadder(CEILINGS, {
    steps: [{ name: 'only', cost: '', giveUp: () => told.push('given up'), takeBack: () => {} }],
    usage: () => used,
    onGivenUp: () => {},
    onTakenBack: () => {},
  });
  ladder.check(100_000);
  ladder.check(101_000);
  assert.deepEqual(told, []);
});

test('a process that did not run for a while is judged by what it used in that time', () => {
  const { second, ladder, told } = climbing();
  second(10);
  // A minute stopped, then a second of one core to catch up.
  ladder.check(62_000);
  assert.deepEqual(told, []);
});

test('each change is told after it was made', () => {
  const { ladder, told, second } = climbing({ quietMs: 1_000 });
  second(90);
  told.length = 0;
  ladder.check(1_500);
  assert.deepEqual(told, []);
  ladder.check(2_000);
  assert.deepEqual(told, ['+first', 'told +first']);
});

test('memory that does not shrink keeps no step from coming back once nothing is left to give up', () => {
  const { second } = climbing({ cpuPercentMax: 0 });
  assert.deepEqual(
    [second(0, 1_001), second(0, 1_001), second(0, 1_001)],
    [['-first'], ['-second'], ['-last']],
  );
  assert.deepEqual([second(0, 1_001), second(0, 1_001), second(0, 1_001)], [[], [], ['+last']]);
});
