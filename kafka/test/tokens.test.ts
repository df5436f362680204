import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTokens } from '../src/tokens.ts';

/** A source that gives token-1, token-2 … that live `lifeMs`, and a clock. */
function source(lifeMs = 1_000_000) {
  const at = { nowMs: 0, given: 0 };
  const fetch = async () => ({ value: `token-${++at.given}`, lifeMs });
  return { at, tokens: createTokens(fetch, () => at.nowMs) };
}

test('a token is used again until it is nearly over, and then another is asked for', async () => {
  const { at, tokens } = source();
  assert.equal(await tokens.current(), 'token-1');
  at.nowMs = 799_999;
  assert.equal(await tokens.current(), 'token-1');
  at.nowMs = 800_000;
  assert.equal(await tokens.current(), 'token-2');
});

test('a login is not given less than twenty seconds of a token', async () => {
  const { at, tokens } = source(30_000);
  await tokens.current();
  at.nowMs = 9_999;
  assert.equal(await tokens.current(), 'token-1');
  at.nowMs = 10_000;
  assert.equal(await tokens.current(), 'token-2');
});

test('connections that log in at the same time share one', async () => {
  const { at, tokens } = source();
  assert.deepEqual(await Promise.all([tokens.current(), tokens.current()]), ['token-1', 'token-1']);
  assert.equal(at.given, 1);
});

test('after a refusal another is asked for', async () => {
  const { tokens } = source();
  await tokens.current();
  tokens.discard();
  assert.equal(await tokens.current(), 'token-2');
});

test('a source that failed is asked again', async () => {
  let tries = 0;
  const tokens = createTokens(async () => {
    tries += 1;
    if (tries === 1) throw new Error('no');
    return { value: 'token', lifeMs: 100_000 };
  });
  await assert.rejects(tokens.current(), { message: 'no' });
  assert.equal(await tokens.current(), 'token');
});
