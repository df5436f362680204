import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzDecoder } from './fuzz-decoder.ts';

const MESSAGES = Number(process.env['TCPTRAIL_TEST_EVENTS'] ?? 100_000);

test(`each of ${MESSAGES} mutated messages is parked, or stored as avsc reads it`, () => {
  const { stored, parked, rows } = fuzzDecoder({ messages: MESSAGES, seed: 20261128 });
  assert.equal(stored + parked, MESSAGES);
  assert.ok(stored > 0 && parked > 0 && rows > 0);
});
