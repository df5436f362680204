import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createCrashes } from '../../src/guest/crashes.ts';
import { tempFolder } from '../support/temp-folder.ts';

function runsIn(t: TestContext) {
  const file = join(tempFolder(t), 'crashes.json');
  const clock = { nowMs: 0, timeMs: 1_700_000_000_000 };
  const next = (crashWaitMsMax = 300_000) =>
    createCrashes({ file, crashWaitMsMax }, { nowMs: () => clock.nowMs, timeMs: () => clock.timeMs });
  function crash(times: number): void {
    for (let count = 0; count < times; count++) next().begin();
  }
  return { file, clock, next, crash };
}

test('the first crashes cost no wait, then each doubles it, up to the longest', (t) => {
  const { next, crash } = runsIn(t);
  const waits = Array.from({ length: 11 }, () => {
    const { waitMs } = next();
    crash(1);
    return waitMs / 1_000;
  });
  assert.deepEqual(waits, [0, 0, 0, 5, 10, 20, 40, 80, 160, 300, 300]);
  crash(100);
  assert.equal(next().waitMs, 300_000);
  assert.equal(next(0).waitMs, 0);
});

test('a run that ended by itself takes all crashes before it away', (t) => {
  const { next, crash } = runsIn(t);
  crash(4);
  const run = next();
  assert.equal(run.count, 4);
  run.begin();
  run.ended();
  assert.deepEqual([next().count, next().waitMs], [0, 0]);
});

test('so does one that has run for a minute, and crashes then', (t) => {
  const { clock, next, crash } = runsIn(t);
  crash(4);
  const run = next();
  run.begin();
  clock.nowMs += 59_999;
  run.ran(clock.nowMs);
  assert.equal(next().count, 5);
  clock.nowMs += 1;
  run.ran(clock.nowMs);
  assert.equal(next().count, 0);
});

test('a start that ended before it began is no run', (t) => {
  const { next, crash } = runsIn(t);
  crash(3);
  next().ended();
  assert.equal(next().count, 3);
});

test('crashes of more than an hour ago are forgotten, and so are those of a clock that was set', (t) => {
  const { clock, next, crash } = runsIn(t);
  crash(5);
  clock.timeMs += 3_599_999;
  assert.equal(next().count, 5);
  clock.timeMs += 1;
  assert.equal(next().count, 0);
  clock.timeMs -= 7_200_000;
  assert.equal(next().count, 0);
});

test('a file that is damaged, or cannot be written, counts as none', (t) => {
  const { file, next, crash } = runsIn(t);
  for (const text of ['', '{', 'null', '[]', '{"crashes":"9","ts_ms":1700000000000}', '{"crashes":9}']) {
    writeFileSync(file, text);
    assert.equal(next().count, 0, text);
  }
  rmSync(file);
  mkdirSync(`${file}.new`);
  crash(4);
  assert.equal(next().count, 0);
});
