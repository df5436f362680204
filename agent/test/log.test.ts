import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from '../src/log.ts';

test('a line that repeats is written once a minute, with the number left out', () => {
  const lines: Record<string, unknown>[] = [];
  let nowMs = 0;
  const log = createLog({ write: (line) => lines.push(JSON.parse(line)), nowMs: () => nowMs });
  for (let count = 0; count < 5; count++) log.limited('warn', 'disk', { code: 'X' }, 'disk full');
  log.limited('warn', 'other', {}, 'something else');
  assert.deepEqual(
    lines.map((line) => line.msg),
    ['disk full', 'something else'],
  );
  assert.equal(log.suppressed, 4);
  nowMs = 60_000;
  log.limited('warn', 'disk', { code: 'X' }, 'disk full');
  assert.deepEqual([lines.at(-1)?.repeated, lines.at(-1)?.code, lines.at(-1)?.part], [4, 'X', 'agent']);
});
