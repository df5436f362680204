import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FailureKind } from '../truth/failure.ts';
import type { Scenario } from './guest-line.ts';
import { SECOND_TRIES_MAX, secondTryOf, withSecondTry } from './second-try.ts';

const SCENARIO = { kind: 'scenario', first: '' } as const;
const passed = (name: string): Scenario => ({
  ...SCENARIO,
  name,
  result: 'passed',
  reason: '',
  kinds: [],
});
const failed = (name: string, ...kinds: FailureKind[]): Scenario => ({
  ...SCENARIO,
  name,
  result: 'failed',
  reason: `${kinds[0]} of ${name}`,
  kinds,
});

test('what an emulated processor explains is tried again, what is wrong or invented never', () => {
  const scenarios = [
    passed('a'),
    failed('b', 'overdue', 'missing'),
    failed('c', 'missing', 'wrong'),
    failed('d', 'invented'),
    failed('e', 'failed'),
    failed('f', 'short', 'late'),
  ];
  assert.deepEqual(secondTryOf(scenarios), ['b', 'f']);
});

test('nothing is tried again where more failed than slowness explains', () => {
  const many = Array.from({ length: SECOND_TRIES_MAX + 1 }, (_, index) => failed(`a${index}`, 'missing'));
  assert.equal(secondTryOf(many.slice(1)).length, SECOND_TRIES_MAX);
  assert.deepEqual(secondTryOf(many), []);
});

test('the second try counts, and tells how the first failed', () => {
  const first = [passed('a'), failed('b', 'missing'), failed('c', 'overdue')];
  const both = withSecondTry(first, [passed('b'), failed('c', 'wrong')]);
  assert.deepEqual(
    both.map(({ name, result, first }) => [name, result, first]),
    [
      ['a', 'passed', ''],
      ['b', 'passed', 'missing of b'],
      ['c', 'failed', 'overdue of c'],
    ],
  );
});
