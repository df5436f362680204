import assert from 'node:assert/strict';
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../test/spool-writer.ts';
import { type BootTime, bootTime, createAges, readAges } from '../src/ages.ts';

const HOUR = 3_600_000;

function agesAt(spool: string, from: BootTime) {
  const now = { ...from };
  return { now, ages: createAges(spool, { now: () => now }) };
}

test('a segment ages from when it was first seen finished', () => {
  const { now, ages } = agesAt(temporaryFolder(), { bootId: 'a', ms: 5_000 });
  assert.equal(ages.ofMs('one'), 0);
  ages.keep(['one']);
  now.ms += 700;
  ages.keep(['one', 'two']);
  now.ms += 300;
  assert.deepEqual([ages.ofMs('one'), ages.ofMs('two')], [1_000, 300]);
});

test("nobody but the agent's user and group reads it", () => {
  const spool = temporaryFolder();
  agesAt(spool, { bootId: 'a', ms: 1 }).ages.keep(['one']);
  assert.equal(statSync(join(spool, 'ages.json')).mode & 0o777, 0o640);
});

test('another run within the boot counts the time between as well', () => {
  const spool = temporaryFolder();
  agesAt(spool, { bootId: 'a', ms: HOUR }).ages.keep(['one']);
  const { ages } = agesAt(spool, { bootId: 'a', ms: 3 * HOUR });
  assert.equal(ages.ofMs('one'), 2 * HOUR);
});

test('over a reboot an age goes on from what was kept, without the time the machine was off', () => {
  const spool = temporaryFolder();
  const first = agesAt(spool, { bootId: 'a', ms: 0 });
  first.ages.keep(['one']);
  first.now.ms += HOUR;
  first.ages.keep(['one']);
  const { ages } = agesAt(spool, { bootId: 'b', ms: 60_000 });
  assert.equal(ages.ofMs('one'), HOUR + 60_000);
  assert.deepEqual([...readAges(spool, { bootId: 'b', ms: 60_000 })], [['one', HOUR + 60_000]]);
});

test('segments that are gone are forgotten', () => {
  const spool = temporaryFolder();
  const { ages, now } = agesAt(spool, { bootId: 'a', ms: 0 });
  ages.keep(['one', 'two']);
  ages.keep(['two']);
  assert.deepEqual([...readAges(spool, now).keys()], ['two']);
});

test('a file that is absent, torn or something else makes every segment new', () => {
  for (const text of [undefined, '', '{"boot_id":"a"', 'null', '[]', '{"ages_ms":{"one":"x"}}']) {
    const spool = temporaryFolder();
    if (text !== undefined) writeFileSync(join(spool, 'ages.json'), text);
    const { ages } = agesAt(spool, { bootId: 'a', ms: HOUR });
    assert.equal(ages.ofMs('one'), 0, text);
  }
});

test('a disk that refuses is asked again, and costs no age', () => {
  const spool = temporaryFolder();
  const { ages, now } = agesAt(spool, { bootId: 'a', ms: 0 });
  mkdirSync(join(spool, 'ages.json.new'));
  ages.keep(['one']);
  now.ms += 1_000;
  assert.equal(ages.ofMs('one'), 1_000);
  rmSync(join(spool, 'ages.json.new'), { recursive: true });
  ages.keep(['one']);
  assert.deepEqual([...readAges(spool, now)], [['one', 1_000]]);
});

test("the time since boot is this boot's and only grows", () => {
  const [first, second] = [bootTime(), bootTime()];
  assert.match(first.bootId, /^[0-9a-f-]{36}$/);
  assert.equal(second.bootId, first.bootId);
  assert.ok(first.ms > 0 && second.ms >= first.ms);
});
