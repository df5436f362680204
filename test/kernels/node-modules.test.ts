import assert from 'node:assert/strict';
import { test } from 'node:test';
import { modulesOf } from './node-modules.ts';

const PACKAGES = {
  '': { dependencies: { unused: '1' } },
  part: { dependencies: { outer: '1', twice: '2' } },
  'part/node_modules/twice': {},
  'node_modules/part': { resolved: 'part', link: true },
  'node_modules/outer': { dependencies: { twice: '1', inner: '1' } },
  'node_modules/outer/node_modules/inner': {},
  'node_modules/twice': {},
  'node_modules/inner': {},
  'node_modules/unused': {},
} as const;

test('what is needed is found as Node finds it, through a workspace and down', () => {
  assert.deepEqual(modulesOf(PACKAGES, ['part']), [
    'node_modules/outer',
    'node_modules/outer/node_modules/inner',
    'node_modules/part',
    'node_modules/twice',
    'part/node_modules/twice',
  ]);
});

test('an optional package that is not locked is passed over', () => {
  assert.deepEqual(modulesOf({ 'node_modules/a': { dependencies: { gone: '1' } } }, ['a']), [
    'node_modules/a',
  ]);
});
