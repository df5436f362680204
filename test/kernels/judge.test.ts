import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GuestLine } from './guest-line.ts';
import { hasCrashed, judge, type Verdict } from './judge.ts';

const RUNS: GuestLine = {
  kind: 'runs',
  capabilities: [{ program: 'close', attached: true, error: '', cost: 'closes' }],
};
const CHECK: GuestLine = { kind: 'check', name: 'rows are there', wrong: '' };
const SCENARIO = { kind: 'scenario', name: 'mptcp', reason: '', kinds: [], first: '' } as const;
const SKIPPED: GuestLine = { ...SCENARIO, result: 'skipped', reason: 'no MPTCP here' };
const END: GuestLine = { kind: 'end' };
const SENTENCE = 'tcptrail agent: kernel 5.10.0 has no BPF ring buffer; tcptrail needs Linux 5.12 or newer\n';

const wrongOf = (lines: readonly GuestLine[], agent: 'runs' | 'refuses' = 'runs'): readonly string[] =>
  judge(lines, { series: '6.1', agent }).wrong;
const refusal = (said: string, exitCode: number | string = 3): GuestLine[] => [
  { kind: 'refuses', exitCode, said },
  END,
];

test('a kernel passes where the agent runs and everything checked is so, whatever was skipped', () => {
  assert.deepEqual(wrongOf([RUNS, CHECK, SKIPPED, END]), []);
});

test('a kernel fails by a check, by a scenario, and by a guest that ended early', () => {
  const failed: GuestLine = { ...SCENARIO, result: 'failed', reason: 'two rows' };
  assert.deepEqual(wrongOf([RUNS, { ...CHECK, wrong: '1 of 2' }, failed]), [
    'the guest ended before its tests did',
    'rows are there: 1 of 2',
    'scenario mptcp: two rows',
  ]);
});

test('a kernel fails where nothing was checked', () => {
  assert.deepEqual(wrongOf([RUNS, END]), ['nothing was checked']);
  assert.deepEqual(wrongOf([END]), ['the agent did not answer']);
});

test('an agent that ends where it should run fails the kernel with what it said', () => {
  assert.deepEqual(wrongOf(refusal(SENTENCE)), [`the agent ended with 3: ${SENTENCE.trim()}`]);
});

test('a refusal is exit code 3 and one sentence that names the kernel and what it lacks', () => {
  assert.deepEqual(wrongOf(refusal(SENTENCE), 'refuses'), []);
  assert.equal(wrongOf(refusal(SENTENCE, 1), 'refuses').length, 1);
  assert.equal(wrongOf(refusal(`Error: boom\n${SENTENCE}`), 'refuses').length, 1);
  assert.equal(wrongOf(refusal('tcptrail agent: this kernel will not do\n'), 'refuses').length, 1);
});

test('an agent that runs where it should refuse fails the kernel', () => {
  assert.deepEqual(wrongOf([RUNS, CHECK, END], 'refuses'), ['the agent runs, it should refuse']);
});

test('a crash before any scenario has a result is told from a wrong one', () => {
  const none: Verdict = { wrong: [], refusal: '', capabilities: [], checks: [], scenarios: [] };
  assert.ok(hasCrashed('…\nSegmentation fault\n[ 8.2] reboot', none));
  assert.ok(hasCrashed('', { ...none, wrong: ['the truth suite: it ended with SIGSEGV'] }));
  assert.ok(!hasCrashed('', { ...none, wrong: ['the agent did not answer'] }));
  const scenario = {
    kind: 'scenario',
    name: 'a',
    result: 'failed',
    reason: '',
    kinds: [],
    first: '',
  } as const;
  assert.ok(!hasCrashed('Segmentation fault', { ...none, scenarios: [scenario] }));
});
