import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Verdict } from './judge.ts';
import { kernelsPage } from './report.ts';

const NOTHING: Verdict = { wrong: [], refusal: '', capabilities: [], checks: [], scenarios: [] };
const kernel = (release: string) => ({ name: `linux-image-${release}`, version: '1-1', release, parts: [] });

const SCENARIO = { kind: 'scenario', reason: '', kinds: [], first: '' } as const;

const RUN = { date: '2026-01-02', tree: '1a2b3c' };
const PAGE = kernelsPage(
  [
    { kernel: kernel('5.10.0'), verdict: { ...NOTHING, refusal: 'tcptrail agent: no ring' } },
    {
      kernel: kernel('6.1.0'),
      verdict: {
        ...NOTHING,
        capabilities: [
          { program: 'send', attached: false, error: 'no such tracepoint\nreally', cost: 'who sends' },
          { program: 'state', attached: true, error: '', cost: 'all' },
        ],
        checks: [{ kind: 'check', name: 'fact', wrong: '' }],
        scenarios: [
          { ...SCENARIO, name: 'tfo', result: 'skipped', reason: 'not | here' },
          { ...SCENARIO, name: 'rst', result: 'passed' },
          { ...SCENARIO, name: 'fin', result: 'passed', first: 'overdue it failed\nat' },
          { ...SCENARIO, name: 'syn', result: 'failed', reason: 'missing a fail', first: 'late a fail' },
        ],
      },
    },
  ],
  RUN,
);

test('each kernel is a line with what ran and what did not', () => {
  assert.match(PAGE, /Run of 2026-01-02, with bpf\/ as git knows it by `1a2b3c` /);
  assert.match(PAGE, /^\| 5\.10\.0 \| 1-1 \| refuses, exit code 3 \| {2}\| {2}\| {2}\|$/m);
  assert.match(
    PAGE,
    /^\| 6\.1\.0 \| 1-1 \| runs \| 1 of 2 \| 1 of 1 \| 2 passed, 1 of them at the second try, 1 failed, 1 skipped \|$/m,
  );
  assert.match(PAGE, /^ {4}tcptrail agent: no ring$/m);
});

test('a missing program and a skipped scenario stand with their reason', () => {
  assert.match(PAGE, /^\| `send` \| missing: no such tracepoint \| who sends \|$/m);
  assert.match(PAGE, /^\| `state` \| attached \| all \|$/m);
  assert.match(PAGE, /^\| tfo \| skipped: not \\\| here \|$/m);
});

test('a scenario that was tried twice says so', () => {
  assert.match(PAGE, /^\| fin \| passed at the second try; at the first: overdue it failed \|$/m);
  assert.match(PAGE, /^\| syn \| failed twice: missing a fail \|$/m);
  assert.match(PAGE, /^\| rst \| passed \|$/m);
});

test('what is wrong stands on the page, and only then', () => {
  assert.doesNotMatch(PAGE, /## Wrong/);
  const verdict = { ...NOTHING, wrong: ['scenario rst: two rows\nnot one'] };
  assert.match(
    kernelsPage([{ kernel: kernel('6.1.0'), verdict }], RUN),
    /^- `6\.1\.0`: scenario rst: two rows$/m,
  );
});
