import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inLoadingOrder } from './kernel-files.ts';

const MODULES_DEP = `kernel/net/a.ko.xz: kernel/net/b.ko.xz kernel/net/c.ko.xz
kernel/net/b.ko.xz: kernel/net/c.ko.xz
kernel/net/c.ko.xz:
kernel/net/d.ko:
`;

test('a module comes after what it needs, and once', () => {
  assert.deepEqual(inLoadingOrder(MODULES_DEP, ['a', 'b', 'd']), [
    'kernel/net/c.ko.xz',
    'kernel/net/b.ko.xz',
    'kernel/net/a.ko.xz',
    'kernel/net/d.ko',
  ]);
});

test('a module that the kernel has built in is passed over', () => {
  assert.deepEqual(inLoadingOrder(MODULES_DEP, ['built_in', 'd']), ['kernel/net/d.ko']);
});
