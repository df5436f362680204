import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTokens } from '../src/tokens.ts';

/** A source that gives token-1, token-2 … for ten seconds each, and a clock. */
function source() {
  const at = { nowMs: 0, given: 0 };
  const fetch = async () => ({ value: `token-${++at.given}`, lifeMs: 10_000 });
  return { at, tokens: createTokens(fetch, () => at.nowMs) };
}

test('a token is used again until it is nearly over, and then another is asked for', async () => {
  const { at, tokens } = source();
  assert.equal(await tokens.current(), 'token-1');
  at.nowMs = 7_999;
  assert.equal(await tokens.current(), 'token-1');
  at.nowMs = 8_000;
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
    return { value: 'token', lifeMs: 10_000 };
  });
  await assert.rejects(tokens.current(), { message: 'no' });
  assert.equal(await tokens.current(), 'token');
});
