import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FailureKind } from './failure.ts';
import type { Replayed } from './replay.ts';
import { accuracyPage } from './report.ts';
import type { Result } from './result.ts';

const result = (name: string, ...kinds: FailureKind[]): Result => ({
  scenario: { name, what: `what ${name} is`, run: () => Promise.resolve() },
  rows: 2,
  fields: 30,
  seconds: 1,
  failures: kinds.map((kind) => ({ kind, line: kind })),
});
const page = (of: Partial<Replayed>): string =>
  accuracyPage({ results: [], unreached: 0, again: {}, ...of }, [], '2026-01-02');

test('a scenario is a line with its counts: late and short is wrong, overdue and broken off is missing', () => {
  const text = page({
    results: [result('one'), result('two', 'wrong', 'late', 'short', 'missing', 'overdue', 'invented')],
  });
  assert.match(text, /^\| `one` \| what one is \| 2 \| 30 \| 0 \| 0 \| 0 \|$/m);
  assert.match(text, /^\| `two` \| what two is \| 2 \| 30 \| 3 \| 2 \| 1 \|$/m);
  assert.match(text, /^\| \*\*2 scenarios\*\* \| {2}\| 4 \| 60 \| 3 \| 2 \| 1 \|$/m);
});

test('scenarios that were played again are named, with how often, and the calls that were the reason', () => {
  const text = page({ unreached: 9, again: { one: 1, two: 3 } });
  assert.match(
    text,
    /^Calls that reached no program in this run: 9\. Played again: `one` \(once\), `two` \(3 times\)\.$/m,
  );
  assert.match(page({}), /run: 0\. Played again: none\.$/m);
});

test('where it is unknown how many calls reached no program, the page says so', () => {
  assert.match(page({ unreached: undefined }), /^How many calls .* could not be counted in this run\./m);
});
