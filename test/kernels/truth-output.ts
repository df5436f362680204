/** What test/truth printed, as one line a scenario, and how it ended. Pure. */
import { FAILURE_KINDS } from '../truth/failure.ts';
import type { Scenario } from './guest-line.ts';

const RESULTS = { '✔': 'passed', '✖': 'failed', '-': 'skipped' } as const;
const LINE = /^([✔✖-]) ([a-z0-9_]+): (.*)$/;
const DETAIL = /^ {4}([a-z]+)\s/;

/** The first thing wrong is the reason of a failure. */
export function parseTruth(output: string): Scenario[] {
  const scenarios: Scenario[] = [];
  for (const line of output.split('\n')) {
    const last = scenarios.at(-1);
    const [, mark = '', name = '', text = ''] = LINE.exec(line) ?? [];
    if (mark in RESULTS) {
      const result = RESULTS[mark as keyof typeof RESULTS];
      const reason = result === 'skipped' ? text.replace(/^skipped: /, '') : '';
      scenarios.push({ kind: 'scenario', name, result, reason, kinds: [], first: '' });
      continue;
    }
    const kind = FAILURE_KINDS.find((known) => known === DETAIL.exec(line)?.[1]);
    if (last?.result !== 'failed' || kind === undefined) continue;
    const reason = last.reason || line.trim().replace(/\s+/g, ' ');
    scenarios.splice(-1, 1, { ...last, reason, kinds: [...new Set([...last.kinds, kind])] });
  }
  return scenarios;
}

export interface SuiteEnd {
  readonly stderr: string;
  readonly code: number | null;
  readonly signal: string | null;
  /** After how long it was told to end; 0 = it ended by itself. ms. */
  readonly msMax: number;
  readonly scenarios: readonly Scenario[];
  /** Of the scenarios it was to run. */
  readonly names: readonly string[];
}

/** '' when the suite ran to its end; else how it ended, where it hung, and its last word. */
export function suiteWrong({ stderr, code, signal, msMax, scenarios, names }: SuiteEnd): string {
  // It exits with 1 for what its lines tell.
  const isTold = code === 0 || scenarios.some(({ result }) => result === 'failed');
  if (msMax === 0 && isTold && scenarios.length === names.length) return '';
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const follow = (what: string): string[] => names.filter((name) => lines.includes(`${name} ${what}`));
  const [started, ended] = [follow('starts'), follow('ends')];
  const running = started.filter((name) => !ended.includes(name));
  const how = msMax > 0 ? `it was ended after ${msMax / 1_000} s` : `it ended with ${signal ?? code}`;
  const last = lines.filter((line) => !/^[a-z0-9_]+ (?:starts|ends)$/.test(line)).at(-1);
  return [
    `${how}, with results of ${scenarios.length} of ${names.length} scenarios; ${ended.length} had ended`,
    running.length > 0 ? `under way: ${running.join(', ')}` : 'none was under way',
    ...(last === undefined ? [] : [`its last word: ${last}`]),
  ].join('; ');
}
