import assert from 'node:assert/strict';
import { closeSync, existsSync, openSync, readdirSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import type { Handle } from '../../src/trace/libbpf.ts';
import { createPins } from '../../src/trace/pins.ts';
import { tempFolder } from '../support/temp-folder.ts';

const MAP = 1 as Handle;
const ENOENT = -2;
const EEXIST = -17;

/** A folder takes the place of bpffs, its files that of pinned maps; none of them can be read as accounts. */
function pinsIn(context: TestContext) {
  const bpffs = tempFolder(context);
  const mounted: string[] = [];
  const libbpf = {
    mountBpffs(path: string): number {
      mounted.push(path);
      return 0;
    },
    pin(_map: Handle, path: string): number {
      if (existsSync(path)) return EEXIST;
      writeFileSync(path, '');
      return 0;
    },
    get: (path: string): number => (existsSync(path) ? openSync(path, 'r') : ENOENT),
    info: () => undefined,
    mmap: () => ENOENT,
  };
  const pins = createPins({ instance: 'x', bpffs }, libbpf);
  assert.equal(pins.open(), '');
  assert.deepEqual(mounted, [bpffs]);
  return { pins, pinned: () => readdirSync(pins.folder).sort() };
}

test('connections are kept for the next agent of their layout, and no other finds them', (context) => {
  const { pins, pinned } = pinsIn(context);
  assert.equal(pins.connections('one'), undefined);
  assert.equal(pins.pinConnections(MAP, 'one'), '');
  assert.deepEqual(pinned(), ['connections-one']);
  assert.equal(pins.connections('another'), undefined);
  const fd = pins.connections('one');
  assert.ok(fd !== undefined);
  closeSync(fd);
});

test('connections of another layout go when those of this one are pinned, and nothing else does', (context) => {
  const { pins, pinned } = pinsIn(context);
  pins.pinAccounts(MAP, 7);
  pins.pinConnections(MAP, 'old');
  assert.equal(pins.pinConnections(MAP, 'new'), '');
  assert.deepEqual(pinned(), ['accounts-7', 'connections-new']);
  // The agent goes on with what it found.
  assert.equal(pins.pinConnections(MAP, 'new'), '');
  assert.deepEqual(pinned(), ['accounts-7', 'connections-new']);
});

test('accounts of ended epochs come oldest first, without those of the current one', (context) => {
  const { pins } = pinsIn(context);
  for (const epoch of [1_000, 9, 20, 300]) assert.equal(pins.pinAccounts(MAP, epoch), '');
  assert.deepEqual(
    pins.stale(300).map(({ kernelEpoch }) => kernelEpoch),
    [9, 20, 1_000],
  );
});

test('accounts that this version cannot read are said to be so', (context) => {
  const { pins } = pinsIn(context);
  pins.pinAccounts(MAP, 5);
  assert.deepEqual(pins.stale(6), [
    { kernelEpoch: 5, accounts: undefined, reason: 'written by another version' },
  ]);
});

test('the folder of the instance goes with its last pin', (context) => {
  const { pins, pinned } = pinsIn(context);
  pins.pinAccounts(MAP, 1);
  pins.pinAccounts(MAP, 2);
  pins.pinConnections(MAP, 'layout');
  pins.unpin(1);
  pins.unpinConnections();
  assert.deepEqual(pinned(), ['accounts-2']);
  pins.unpin(2);
  assert.equal(existsSync(pins.folder), false);
});
