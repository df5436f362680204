import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTruth, type SuiteEnd, suiteWrong } from './truth-output.ts';

const OUTPUT = `✔ close_fin: 4 rows, 120 fields (1.5 s)
✖ connect_refused: 1 rows, 30 fields (0.2 s)
    wrong     errno is 0, not 111
    wrong     verdict is cancelled, not refused
    missing   a fail
    at Actor.send (file:///tcptrail/test/truth/actor.ts:1:1)
- mptcp: skipped: mptcp: errno 93
{"scenarios":2,"rows":5}
`;

test('a scenario has a result and a reason where it did not pass', () => {
  const reasons = parseTruth(OUTPUT).map(({ name, result, reason }) => [name, result, reason]);
  assert.deepEqual(reasons, [
    ['close_fin', 'passed', ''],
    ['connect_refused', 'failed', 'wrong errno is 0, not 111'],
    ['mptcp', 'skipped', 'mptcp: errno 93'],
  ]);
});

test('a scenario that failed tells of each kind once', () => {
  const kinds = parseTruth(OUTPUT).map((scenario) => scenario.kinds);
  assert.deepEqual(kinds, [[], ['wrong', 'missing'], []]);
});

const [passed, failed] = parseTruth(OUTPUT);
const WHOLE: SuiteEnd = {
  stderr: 'one starts\none ends\n',
  code: 0,
  signal: null,
  msMax: 0,
  scenarios: passed ? [passed] : [],
  names: ['one'],
};

test('a suite that told of all its scenarios ran to its end, whatever they were', () => {
  assert.equal(suiteWrong(WHOLE), '');
  assert.equal(suiteWrong({ ...WHOLE, code: 1, scenarios: failed ? [failed] : [] }), '');
});

test('a suite that was ended for want of time is told from one that ended by itself', () => {
  const late = { ...WHOLE, code: 1, scenarios: [], stderr: 'one starts\n' };
  assert.equal(
    suiteWrong({ ...late, msMax: 600_000 }),
    'it was ended after 600 s, with results of 0 of 1 scenarios; 0 had ended; under way: one',
  );
  assert.equal(
    suiteWrong({ ...late, stderr: 'one starts\none ends\nError: an agent ended with SIGSEGV\n' }),
    'it ended with 1, with results of 0 of 1 scenarios; 1 had ended; none was under way; ' +
      'its last word: Error: an agent ended with SIGSEGV',
  );
  assert.match(suiteWrong({ ...late, code: null, signal: 'SIGKILL' }), /^it ended with SIGKILL, /);
});
