import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, existsSync, openSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Handle } from '../../src/trace/libbpf.ts';
import { createWatch } from '../../src/trace/watch.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** Each a read of 4 KiB. */
const READS = 3;
const EPERM = -1 as Handle;

/** Iterators are files: reading one to its end is a pass. `walked` says which were begun, in order. */
function watchOf(
  context: TestContext,
  {
    iterators,
    refused = [],
  }: { readonly iterators: readonly string[]; readonly refused?: readonly string[] },
) {
  const folder = tempFolder(context);
  for (const name of iterators) writeFileSync(join(folder, name), Buffer.alloc(READS * 4_096));
  const walked: string[] = [];
  const detached: string[] = [];
  const nameOf = (handle: Handle): string => iterators[handle - 1] ?? '';
  const fds = new Set<number>();
  const libbpf = {
    mapFd: (map: Handle): number => map,
    attachIterator: (program: Handle): Handle => (refused.includes(nameOf(program)) ? EPERM : program),
    iterate(link: Handle): number {
      walked.push(nameOf(link));
      const fd = openSync(join(folder, nameOf(link)), constants.O_RDONLY | constants.O_NONBLOCK);
      fds.add(fd);
      return fd;
    },
    detach(link: Handle): number {
      detached.push(nameOf(link));
      return 0;
    },
  };
  const handleOf = (name: string): Handle => (iterators.indexOf(name) + 1) as Handle;
  const programs = {
    object: { program: handleOf, map: handleOf },
    watches: iterators.map((program) => ({ program, map: program })),
  };
  const created = createWatch({ everyMs: 100 }, { libbpf, programs });
  const isOpen = (fd: number): boolean =>
    existsSync(`/proc/self/fd/${fd}`) && readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder);
  return { ...created, folder, walked, detached, openFds: () => [...fds].filter(isOpen).length };
}

/** Room for so many looks at it. */
function roomFor(reads: number): () => boolean {
  let left = reads;
  return () => {
    left -= 1;
    return left >= 0;
  };
}
const always = (): boolean => true;

test('a pass walks each iterator to its end, and the next is due after everyMs', (context) => {
  const { watch, walked, openFds } = watchOf(context, { iterators: ['a', 'b'] });
  watch.turn({ nowMs: 1_000, room: always });
  assert.deepEqual(walked, ['a', 'b']);
  assert.equal(openFds(), 0);
  watch.turn({ nowMs: 1_099, room: always });
  assert.deepEqual(walked, ['a', 'b']);
  watch.turn({ nowMs: 1_100, room: always });
  assert.deepEqual(walked, ['a', 'b', 'a', 'b']);
});

test('a pass stops where the rings have no room, and goes on there when they have', (context) => {
  const { watch, walked, openFds } = watchOf(context, { iterators: ['a', 'b'] });
  watch.turn({ nowMs: 0, room: () => false });
  assert.deepEqual(walked, []);
  watch.turn({ nowMs: 0, room: roomFor(READS - 1) });
  assert.deepEqual([walked, openFds()], [['a'], 1]);
  // What is left of a, its end, and the beginning of b: long before another pass is due.
  watch.turn({ nowMs: 1, room: roomFor(2) });
  assert.deepEqual([walked, openFds()], [['a'], 0]);
  watch.turn({ nowMs: 2, room: roomFor(1) });
  assert.deepEqual([walked, openFds()], [['a', 'b'], 1]);
  watch.turn({ nowMs: 3, room: always });
  assert.deepEqual([walked, openFds()], [['a', 'b'], 0]);
});

test('an iterator that wants to be asked again is, at the next turn', (context) => {
  const { watch, folder, walked, openFds } = watchOf(context, { iterators: ['pipe', 'b'] });
  // Empty, it says EAGAIN; without a writer, it has ended.
  const pipe = join(folder, 'pipe');
  execFileSync('sh', ['-c', 'rm "$1" && mkfifo "$1"', 'sh', pipe]);
  const writer = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
  for (const nowMs of [0, 1]) {
    watch.turn({ nowMs, room: always });
    assert.deepEqual([walked, openFds()], [['pipe'], 1]);
  }
  closeSync(writer);
  watch.turn({ nowMs: 2, room: always });
  assert.deepEqual([walked, openFds()], [['pipe', 'b'], 0]);
});

test('an iterator that the kernel refuses is named, and the others run', (context) => {
  const { watch, refused, walked } = watchOf(context, { iterators: ['a', 'b'], refused: ['a'] });
  assert.deepEqual(refused, [{ program: 'a', error: 'EPERM' }]);
  watch.turn({ nowMs: 0, room: always });
  assert.deepEqual(walked, ['b']);
});

test('a watch that is closed in the middle of a pass gives back all that it holds', (context) => {
  const { watch, detached, openFds } = watchOf(context, { iterators: ['a', 'b'] });
  watch.turn({ nowMs: 0, room: roomFor(1) });
  assert.equal(openFds(), 1);
  watch.close();
  assert.equal(openFds(), 0);
  assert.deepEqual(detached, ['a', 'b']);
});
