import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTruth } from './truth-output.ts';

const OUTPUT = `✔ close_fin: 4 rows, 120 fields (1.5 s)
✖ connect_refused: 1 rows, 30 fields (0.2 s)
    wrong     errno is 0, not 111
    missing   a fail
- mptcp: skipped: mptcp: errno 93
{"scenarios":2,"rows":5}
`;

test('a scenario has a result and a reason where it did not pass', () => {
  assert.deepEqual(parseTruth(OUTPUT), [
    { kind: 'scenario', name: 'close_fin', result: 'passed', reason: '' },
    { kind: 'scenario', name: 'connect_refused', result: 'failed', reason: 'wrong errno is 0, not 111' },
    { kind: 'scenario', name: 'mptcp', result: 'skipped', reason: 'mptcp: errno 93' },
  ]);
});
