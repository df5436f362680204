import assert from 'node:assert/strict';
import { test } from 'node:test';
import { humanCell } from '../../src/terminal/human-cell.ts';

const PATH = { name: 'executable', type: 'LowCardinality(String)' };
const TIME = { name: 'last_ts', type: "DateTime64(6, 'UTC')" };

test('a program is its name where programs are installed, and its path elsewhere', () => {
  assert.equal(humanCell('/usr/sbin/sshd', PATH), 'sshd');
  assert.equal(humanCell('/opt/java/bin/java', PATH), 'java');
  assert.equal(humanCell('/tmp/.x/sshd', PATH), '/tmp/.x/sshd');
  assert.equal(humanCell('/dev/shm/sshd', PATH), '/dev/shm/sshd');
});

test('a time has its year when that is another one', () => {
  const year = new Date().getUTCFullYear();
  assert.equal(humanCell(`${year}-11-28 10:57:48.708123`, TIME), '11-28 10:57:48');
  assert.equal(humanCell(`${year - 1}-11-28 10:57:48.708123`, TIME), `${year - 1}-11-28 10:57:48`);
});
