import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attachmentChecks } from '../../src/doctor/programs.ts';

const program = (name: string, error = '', cost = 'cost') => ({
  program: name,
  attached: error === '',
  error,
  cost,
});

test('a program that runs is a line of its own', () => {
  assert.deepEqual(attachmentChecks([program('destroy')], []), [
    { name: 'destroy', status: 'ok', found: 'attached', remedy: '' },
  ]);
});

test('programs refused for one reason are one warning, and what they have in common is told once', () => {
  const programs = [
    program('connect4', 'EPERM', 'connects'),
    program('first_read', 'EINVAL', 'owners'),
    program('connect6', 'EPERM', 'connects'),
    program('first_send', 'E2BIG', ''),
  ];
  assert.deepEqual(
    attachmentChecks(programs, []).map(({ name, found, remedy }) => [name, found, remedy]),
    [
      ['connect4, connect6', 'not attached: EPERM', 'without them: connects'],
      ['first_read', 'not attached: EINVAL', 'without it: owners'],
      ['first_send', 'not attached: E2BIG', 'nothing is lost'],
    ],
  );
});

test('what an unmet need costs is not told again by the programs that it stops', () => {
  const need = { name: 'cgroup2', problem: 'not mounted' };
  const programs = [program('connect4', 'not mounted', 'IPv4'), program('connect6', 'not mounted', 'IPv6')];
  assert.deepEqual(attachmentChecks(programs, [need]), [
    {
      name: 'connect4, connect6',
      status: 'warn',
      found: 'not attached: not mounted',
      remedy: 'see cgroup2 above',
    },
  ]);
});
