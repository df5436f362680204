/** What test/truth printed, as one line a scenario. Pure. */
import type { Scenario } from './guest-line.ts';

const RESULTS = { '✔': 'passed', '✖': 'failed', '-': 'skipped' } as const;
const LINE = /^([✔✖-]) ([a-z0-9_]+): (.*)$/;
const DETAIL = /^ {4}(?:wrong|missing|invented)\s+(.*)$/;

/** The first thing wrong is the reason of a failure. */
export function parseTruth(output: string): Scenario[] {
  const scenarios: Scenario[] = [];
  for (const line of output.split('\n')) {
    const last = scenarios.at(-1);
    const [, mark = '', name = '', text = ''] = LINE.exec(line) ?? [];
    if (mark in RESULTS) {
      const result = RESULTS[mark as keyof typeof RESULTS];
      const reason = result === 'skipped' ? text.replace(/^skipped: /, '') : '';
      scenarios.push({ kind: 'scenario', name, result, reason });
    } else if (last?.result === 'failed' && last.reason === '' && DETAIL.test(line)) {
      scenarios.splice(-1, 1, { ...last, reason: line.trim().replace(/\s+/g, ' ') });
    }
  }
  return scenarios;
}
