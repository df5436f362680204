import assert from 'node:assert/strict';
import {
  chownSync,
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createLibc } from '../../src/libc.ts';
import type { KernelState } from '../../src/trace/kernel-state.ts';
import { createPins } from '../../src/trace/pins.ts';
import { needsRoot } from '../support/needs-root.ts';
import { tempFolder } from '../support/temp-folder.ts';

const ENOENT = -2;
const EEXIST = -17;
const EPERM = -1;
const EMFILE = -24;

interface Options {
  /** File descriptor that is not pinned. */
  readonly refused?: number;
  /** The process ends before that one is pinned. */
  readonly killedAt?: number;
  readonly bpffs?: string;
  readonly lock?: (fd: number) => boolean;
  readonly get?: (path: string) => number;
}

const opening = (path: string): number => (existsSync(path) ? openSync(path, 'r') : ENOENT);

/** A folder takes the place of bpffs, its files that of what is pinned: each holds the number of its descriptor. */
function pinsIn(
  context: TestContext,
  { refused = -1, killedAt, bpffs = tempFolder(context), lock = () => true, get = opening }: Options = {},
) {
  const libbpf = {
    mountBpffs: () => 0,
    pin(fd: number, path: string): number {
      if (fd === killedAt) throw new Error('killed');
      if (fd === refused) return EPERM;
      if (existsSync(path)) return EEXIST;
      writeFileSync(path, String(fd));
      return 0;
    },
    get,
  };
  const pins = createPins({ instance: 'x', bpffs }, { libbpf, libc: { lock } });
  assert.equal(pins.open(), '');
  return { pins, bpffs, pinned: () => readdirSync(pins.folder).sort() };
}

const stateOf = (kernelEpoch: number): KernelState => ({
  kernelEpoch,
  maps: new Map([['accounts', 11]]),
  programs: new Map([['state', 12]]),
  links: new Map([['state', 13]]),
});

/** What is behind the descriptors, which are closed. */
const contentOf = (fds: ReadonlyMap<string, number>): Record<string, string> =>
  Object.fromEntries(
    [...fds].map(([name, fd]) => {
      const text = readFileSync(fd, 'utf8');
      closeSync(fd);
      return [name, text];
    }),
  );

test('a state is found again as it was saved', (context) => {
  const { pins } = pinsIn(context);
  assert.equal(pins.save(stateOf(7), 'abc'), '');
  const [found] = pins.states();
  assert.deepEqual(found, { kernelEpoch: 7, layout: 'abc' });
  const { kernelEpoch, maps, programs, links } = pins.load({ kernelEpoch: 7, layout: 'abc' });
  assert.equal(kernelEpoch, 7);
  assert.deepEqual([maps, programs, links].map(contentOf), [
    { accounts: '11' },
    { state: '12' },
    { state: '13' },
  ]);
});

test('states come oldest first, and one that was never whole goes', (context) => {
  const { pins, pinned } = pinsIn(context);
  for (const epoch of [1_000, 9, 20]) assert.equal(pins.save(stateOf(epoch), 'a'), '');
  mkdirSync(join(pins.folder, 'making-5/maps'), { recursive: true });
  writeFileSync(join(pins.folder, 'making-5/maps/accounts'), '');
  assert.deepEqual(
    pins.states().map(({ kernelEpoch }) => kernelEpoch),
    [9, 20, 1_000],
  );
  assert.equal(pins.open(), '');
  assert.deepEqual(pinned(), ['1000-a', '20-a', '9-a']);
});

test('what cannot be pinned is said, and nothing of the state stays', (context) => {
  const { pins, pinned } = pinsIn(context, { refused: 12 });
  assert.match(pins.save(stateOf(7), 'a'), /^cannot pin .*programs\/state \(EPERM\)$/);
  assert.deepEqual(pinned(), []);
});

test('links go without the rest of their state, a state without the others, and all with the instance', (context) => {
  const { pins, pinned } = pinsIn(context);
  for (const epoch of [1, 2]) assert.equal(pins.save(stateOf(epoch), 'a'), '');
  assert.equal(pins.saveControl(5), '');
  pins.removeLinks(1);
  assert.deepEqual(readdirSync(join(pins.folder, '1-a')).sort(), ['maps', 'programs']);
  pins.remove(2);
  assert.deepEqual(pinned(), ['1-a', 'control']);
  pins.removeAll();
  assert.equal(existsSync(pins.folder), false);
});

test('maps are kept for the states of their layout, and go when those of another are', (context) => {
  const { pins, pinned } = pinsIn(context);
  const maps = new Map([
    ['connections', 3],
    ['handshakes', 4],
  ]);
  assert.deepEqual([...pins.kept('1a')], []);
  assert.equal(pins.keep(maps, '1a'), '');
  assert.deepEqual(contentOf(pins.kept('1a')), { connections: '3', handshakes: '4' });
  // The next state goes on with what it found.
  assert.equal(pins.keep(maps, '1a'), '');
  assert.equal(pins.keep(maps, '2b'), '');
  assert.deepEqual(pinned(), ['kept-2b']);
});

test('maps are kept all or none: where a killed agent did not come to the last, the next one finds none', (context) => {
  const { pins, pinned } = pinsIn(context, { killedAt: 4 });
  const maps = new Map([
    ['connections', 3],
    ['handshakes', 4],
  ]);
  assert.throws(() => pins.keep(maps, '1a'), { message: 'killed' });
  assert.deepEqual([...pins.kept('1a')], []);
  assert.equal(pins.open(), '');
  assert.deepEqual(pinned(), []);
});

test('one process has the folder, until it ends or closes it', (context) => {
  const { lock } = createLibc();
  const { pins, bpffs } = pinsIn(context, { lock });
  assert.throws(() => pinsIn(context, { lock, bpffs }), {
    code: 'TRACE_STATE_HELD',
    exitCode: 1,
    message: /container/,
  });
  pins.close();
  pinsIn(context, { lock, bpffs });
});

test('a folder that another process removed just before it was locked is not taken', (context) => {
  const bpffs = tempFolder(context);
  const folder = join(bpffs, 'tcptrail/x');
  const lock = (): boolean => {
    renameSync(folder, join(bpffs, 'away'));
    mkdirSync(folder);
    return true;
  };
  assert.throws(() => pinsIn(context, { bpffs, lock }), { code: 'TRACE_STATE_HELD' });
});

test('pins that an earlier version laid out otherwise go', (context) => {
  const { pins, pinned } = pinsIn(context);
  assert.equal(pins.saveControl(5), '');
  for (const name of ['accounts', 'owners']) writeFileSync(join(pins.folder, name), '');
  pins.close();
  assert.equal(pins.open(), '');
  assert.deepEqual(pinned(), ['control']);
});

test('a state whose pins cannot be opened is not opened in part', (context) => {
  const opened: number[] = [];
  const { pins } = pinsIn(context, {
    get(path) {
      if (path.endsWith('links/state')) return EMFILE;
      opened.push(openSync(path, 'r'));
      return opened.at(-1) ?? -1;
    },
  });
  assert.equal(pins.save(stateOf(7), 'a'), '');
  assert.throws(() => pins.load({ kernelEpoch: 7, layout: 'a' }), {
    code: 'TRACE_PIN',
    message: /links\/state \(EMFILE\)/,
  });
  assert.equal(opened.length, 2);
  for (const fd of opened) assert.throws(() => fstatSync(fd), { code: 'EBADF' });
});

test(
  "an emptied folder that its agent could not remove goes; one that holds a state stays, and so does root's",
  needsRoot,
  (context) => {
    const bpffs = tempFolder(context);
    for (const instance of ['emptied', 'held/1-a', 'starting'])
      mkdirSync(join(bpffs, 'tcptrail', instance), { recursive: true });
    for (const instance of ['emptied', 'held']) chownSync(join(bpffs, 'tcptrail', instance), 65_534, 65_534);
    pinsIn(context, { bpffs });
    assert.deepEqual(readdirSync(join(bpffs, 'tcptrail')).sort(), ['held', 'starting', 'x']);
  },
);

test('what the file system refuses is said', (context) => {
  const { pins } = pinsIn(context);
  assert.equal(pins.save(stateOf(7), 'a'), '');
  // Nothing can be made in, nor removed from, a file.
  renameSync(pins.folder, `${pins.folder}-away`);
  writeFileSync(pins.folder, '');
  assert.match(pins.save(stateOf(8), 'a'), /ENOTDIR/);
  assert.match(pins.removeAll(), /ENOTDIR/);
});
