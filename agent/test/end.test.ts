import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endRun, readUntil } from '../src/end.ts';
import { agentError } from '../src/errors.ts';

const CURRENT = 9;

/** `left`: kernel epochs of earlier states, of which `stubborn` stay untold. */
function run(given: {
  isEnd: boolean;
  left?: readonly number[];
  stubborn?: readonly number[];
  settles?: boolean;
  refuses?: boolean;
}) {
  const { isEnd, settles = true, stubborn = [] } = given;
  const log: string[] = [];
  const trace = {
    recording: { kernelEpoch: CURRENT },
    isDetached: false,
    detach() {
      trace.isDetached = true;
      log.push('detach');
    },
  };
  const previous = {
    left: given.left ?? [],
    async tell() {
      previous.left = stubborn;
      log.push('tell');
    },
  };
  const end = endRun(
    { isEnd },
    {
      trace,
      previous,
      cycle: {
        finish() {
          log.push('finish');
          return settles;
        },
      },
      ended: { tell: () => {} },
      telling: { shipped: [] },
      spool: {
        dropped: 'some',
        noteEnded(epoch) {
          log.push(`ended ${epoch}`);
          return true;
        },
        stop() {
          if (given.refuses) throw agentError('AGENT_SPOOL_UNSPOOLED', ['2', '/spool', 'ENOSPC']);
        },
      },
    },
  );
  return end.then(({ forget, left }) => ({ forget, left: left?.message ?? '', log }));
}

test('a restart leaves everything, and earlier states to the next start', async () => {
  const { forget, left, log } = await run({ isEnd: false, left: [3] });
  assert.deepEqual([forget, left, log], ['nothing', '', ['finish']]);
});

test('an end tells what is left of earlier states, and then leaves nothing', async () => {
  const { forget, left, log } = await run({ isEnd: true, left: [3] });
  assert.deepEqual([forget, left], ['instance', '']);
  assert.deepEqual(log, ['detach', 'finish', 'tell', `ended ${CURRENT}`]);
});

test('an end keeps an earlier state that cannot be told, and says so', async () => {
  const { forget, left } = await run({ isEnd: true, left: [3, 5], stubborn: [5] });
  assert.equal(forget, 'state');
  assert.match(left, /kernel epoch 5\b/);
});

test('an end that does not settle keeps the state, and says so', async () => {
  const { forget, left } = await run({ isEnd: true, settles: false });
  assert.equal(forget, 'nothing');
  assert.match(left, /kernel epoch 9\b/);
});

test('what a disk refuses stays, and why is said', async () => {
  const { forget, left, log } = await run({ isEnd: true, refuses: true });
  assert.deepEqual([forget, log], ['nothing', ['detach', 'finish']]);
  assert.match(left, /ENOSPC/);
});

test('while what is left is sent the rings are read; one that was sent at once leaves nothing to end anew', async () => {
  const { promise: sent, resolve } = Promise.withResolvers<void>();
  let turns = 0;
  const turn = (): number => {
    turns += 1;
    if (turns === 3) resolve();
    return 0;
  };
  assert.equal(await readUntil(sent, { turn }), true);
  assert.equal(turns, 3);
  assert.equal(await readUntil(Promise.resolve(), { turn }), false);
  assert.equal(turns, 3);
});
