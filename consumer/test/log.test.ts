import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from '../src/log.ts';

type Line = Record<string, unknown>;

function logged() {
  const lines: Line[] = [];
  const state = { nowMs: 0, suppressed: 0 };
  const log = createLog({
    out: { write: (line: string) => void lines.push(JSON.parse(line) as Line) },
    nowMs: () => state.nowMs,
    onSuppressed: () => {
      state.suppressed += 1;
    },
  });
  return { log, lines, state };
}

test('of lines that differ in numbers alone ten a minute are written, and the rest is counted', () => {
  const { log, lines, state } = logged();
  for (let offset = 0; offset < 25; offset++) log.warn({ code: 'X' }, `batch ${offset} is damaged`);
  log.warn('something else');
  assert.equal(lines.length, 11);
  assert.equal(state.suppressed, 15);
  state.nowMs = 60_000;
  log.warn({ code: 'X' }, 'batch 99 is damaged');
  const { part, code, repeated, msg } = lines.at(-1) ?? {};
  assert.deepEqual([part, code, repeated, msg], ['consumer', 'X', 15, 'batch 99 is damaged']);
  log.warn({ code: 'X' }, 'batch 100 is damaged');
  assert.equal(lines.at(-1)?.['repeated'], undefined);
});

test('what ends the consumer is always written', () => {
  const { log, lines } = logged();
  for (let count = 0; count < 20; count++) log.fatal({ code: 'STORE_LEDGER' }, 'the rows differ');
  assert.equal(lines.length, 20);
});
