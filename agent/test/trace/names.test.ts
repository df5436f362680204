import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKernelNames, EXECUTABLE_BYTES, NAMES_BYTES, pathOf } from '../../src/trace/names.ts';

/** struct names as the kernel side writes it. */
function namesOf(lastFirst: readonly string[], known = 1): Buffer {
  const names = Buffer.alloc(NAMES_BYTES);
  const text = lastFirst.map((name) => `${name}\0`).join('');
  names.writeUInt32LE(Buffer.byteLength(text), 0);
  names.writeUInt32LE(known, 4);
  names.write(text, 8);
  return names;
}

test('a path is put together from its names, the last one first', () => {
  assert.equal(pathOf(namesOf(['nginx', 'sbin', 'usr'])), '/usr/sbin/nginx');
  assert.equal(pathOf(namesOf([])), '/');
  assert.equal(pathOf(namesOf(['memfd:x'])), '/memfd:x');
  assert.equal(pathOf(namesOf(['grün'])), '/grün');
});

test('a path that was not kept whole is unknown', () => {
  assert.equal(pathOf(namesOf(['c', 'b'], 0)), undefined);
  const wrong = namesOf(['a']);
  wrong.writeUInt32LE(NAMES_BYTES, 0);
  assert.equal(pathOf(wrong), undefined);
});

test('an executable is asked for by start, pid and exec, and comes with its parent', () => {
  let asked = Buffer.alloc(0);
  const names = createKernelNames({
    executables(key, value) {
      asked = Buffer.from(key);
      value.writeBigUInt64LE(2n ** 60n + 1n, 0);
      value.writeUInt32LE(1, 8);
      value.writeUInt32LE(3, 12);
      namesOf(['sh', 'bin']).copy(value, 16);
      return value.length === EXECUTABLE_BYTES;
    },
    cgroups: () => false,
  });
  const found = names.executable({ pid: 7, startNs: 2n ** 60n + 3n, execId: 5 });
  assert.deepEqual(found, { path: '/bin/sh', parent: { startNs: 2n ** 60n + 1n, pid: 1, execId: 3 } });
  assert.deepEqual(
    [asked.readBigUInt64LE(0), asked.readUInt32LE(8), asked.readUInt32LE(12)],
    [2n ** 60n + 3n, 7, 5],
  );
  assert.equal(names.cgroupPath(1), undefined);
});
