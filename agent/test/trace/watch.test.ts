import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, existsSync, openSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createWatch } from '../../src/trace/watch.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** Each a read of 4 KiB. */
const READS = 3;

/** Iterators are files: reading one to its end is a pass. `walked` says which were begun, in order. */
function watchOf(context: TestContext, { iterators }: { readonly iterators: readonly string[] }) {
  const folder = tempFolder(context);
  for (const name of iterators) writeFileSync(join(folder, name), Buffer.alloc(READS * 4_096));
  const walked: string[] = [];
  const fds = new Set<number>();
  const links = iterators.map((_, index) => index);
  const libbpf = {
    iterate(link: number): number {
      const name = iterators[link] ?? '';
      walked.push(name);
      const fd = openSync(join(folder, name), constants.O_RDONLY | constants.O_NONBLOCK);
      fds.add(fd);
      return fd;
    },
  };
  const watch = createWatch({ everyMs: 100, links }, libbpf);
  const isOpen = (fd: number): boolean =>
    existsSync(`/proc/self/fd/${fd}`) && readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder);
  return { watch, folder, walked, openFds: () => [...fds].filter(isOpen).length };
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

test('a watch that is closed in the middle of a pass gives back all that it holds', (context) => {
  const { watch, openFds } = watchOf(context, { iterators: ['a', 'b'] });
  watch.turn({ nowMs: 0, room: roomFor(1) });
  assert.equal(openFds(), 1);
  watch.close();
  assert.equal(openFds(), 0);
});
