import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { filterOf, networkOf } from '../../src/tail/filter.ts';

test('closes, failures and summaries are the default, tcptrail itself is left out', () => {
  const { where, params } = filterOf({});
  assert.equal(where, 'kind IN {kinds:Array(String)} AND NOT own');
  assert.deepEqual(params, { kinds: ['close', 'fail', 'summary'] });
});

test('values never become part of the SQL', () => {
  const evil = "x' OR 1=1 --";
  const { where, params } = filterOf({ process: [evil], host: [evil] });
  assert.ok(!where.includes('1=1'));
  assert.deepEqual(params['processes'], [evil]);
});

test('an IPv4 network is asked for in its mapped form', () => {
  assert.equal(networkOf('10.0.0.0/8'), '::ffff:10.0.0.0/104');
  assert.equal(networkOf('10.1.2.3'), '::ffff:10.1.2.3/128');
  assert.equal(networkOf('2001:db8::/32'), '2001:db8::/32');
});

for (const wrong of [
  '10.0.0',
  '10.0.0.0/33',
  'example.org',
  '::/129',
  '10.0.0.0/',
  '10.0.0.0/8/8',
  '::1/-1',
]) {
  test(`${wrong} is no peer, said with exit code 2`, () => {
    assert.throws(
      () => networkOf(wrong),
      (error) => error instanceof AppError && error.exitCode === 2,
    );
  });
}

test('an unknown kind or verdict names the known ones', () => {
  assert.throws(() => filterOf({ kind: ['closed'] }), /unknown kind closed; known are .*close/);
  assert.throws(() => filterOf({ verdict: ['bad'] }), /known are .*refused/);
});
