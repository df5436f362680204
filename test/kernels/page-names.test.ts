import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Verdict } from './judge.ts';
import { goneFrom, namesOn } from './page-names.ts';
import { kernelsPage } from './report.ts';

const VERDICT: Verdict = {
  wrong: ['scenario rst: two rows'],
  refusal: '',
  capabilities: ['state', 'cgroup2'].map((program) => ({ program, attached: true, error: '', cost: 'all' })),
  checks: [],
  scenarios: ['rst', 'fin'].map((name) => ({
    kind: 'scenario',
    name,
    result: 'skipped',
    reason: 'not | here',
    kinds: [],
    first: '',
  })),
};
const kernel = { name: 'linux-image-6.1.0', version: '1-1', release: '6.1.0', parts: [] };
const PAGE = kernelsPage([{ kernel, verdict: VERDICT }], { date: '2026-01-02', tree: '1a2b3c' });

test('names are those of the tables of programs and scenarios', () => {
  assert.deepEqual(namesOn(PAGE), { programs: ['state', 'cgroup2'], scenarios: ['rst', 'fin'] });
});

test('a page of what is there passes, whatever came since', () => {
  assert.equal(
    goneFrom(PAGE, { programs: ['state', 'cgroup2', 'new'], scenarios: ['rst', 'fin', 'syn'] }),
    '',
  );
});

test('a page of what is no more says what, and what to run', () => {
  assert.equal(
    goneFrom(PAGE, { programs: ['cgroup2'], scenarios: ['rst'] }),
    'docs/kernels.md tells of what is no more (state, fin): run `make test-kernels`',
  );
});
