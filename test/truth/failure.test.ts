import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Overdue } from '../harness/until.ts';
import {
  FAILURE_KINDS,
  type FailureKind,
  failureOf,
  mayBeLostCalls,
  mayBeSlowness,
  RowNeverCame,
} from './failure.ts';

const singly = (is: (kinds: readonly FailureKind[]) => boolean): readonly FailureKind[] =>
  FAILURE_KINDS.filter((kind) => is([kind]));

test('lost calls explain what is missing, short or late, and nothing that is wrong or invented', () => {
  assert.deepEqual(singly(mayBeLostCalls), ['late', 'short', 'missing']);
});

test('a slow processor explains a deadline of the scenario too', () => {
  assert.deepEqual(singly(mayBeSlowness), ['late', 'short', 'missing', 'overdue']);
});

test('one failure that they do not explain is enough, and no failure is none to explain', () => {
  for (const is of [mayBeLostCalls, mayBeSlowness]) {
    assert.equal(is(['missing', 'wrong']), false);
    assert.equal(is(['missing', 'late', 'invented']), false);
    assert.equal(is([]), false);
  }
});

test('a row that was waited for is missing, any other deadline is overdue, any other error a failure', () => {
  const errors = [new RowNeverCame('an open'), new Overdue('waited'), new Error('connect: errno 101')];
  assert.deepEqual(
    errors.map((error) => failureOf(error).kind),
    ['missing', 'overdue', 'failed'],
  );
});
