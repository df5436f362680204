/** A question bound to its window, hosts and parameters. */
import type { Parameter, Question } from '@tcptrail/schemas/question.ts';
import { timeText } from '@tcptrail/schemas/time-text.ts';
import { valuesOf } from './parameters.ts';
import { inBins, type Window, windowOf } from './window.ts';

export interface CommonOptions {
  readonly since?: string;
  readonly until?: string;
  readonly host?: readonly string[];
  readonly own?: boolean;
  readonly limit?: number;
}

export interface Bound {
  readonly question: Question;
  /** Rows that are told at most. */
  readonly limit: number;
  /** The window that the answer is of; undefined where it is the one asked for. */
  readonly covered: Window | undefined;
  /** As the client binds them. */
  readonly params: Readonly<Record<string, unknown>>;
  /** Parameters that must be given and were not. */
  readonly missing: readonly Parameter[];
}

export interface Given {
  /** The question's own parameters, as they stand behind its name. */
  readonly args: readonly string[];
  readonly options: CommonOptions;
  readonly nowMs: number;
}

/** Throws CLI_USAGE. */
export function boundTo(question: Question, { args, options, nowMs }: Given): Bound {
  const { given, missing } = valuesOf(question, args, nowMs);
  const window = windowOf({ since: options.since ?? question.since, until: options.until }, nowMs);
  const limit = options.limit ?? question.limit;
  const params = {
    since: timeText(window.sinceUs),
    until: timeText(window.untilUs),
    hosts: options.host ?? [],
    own: options.own ?? false,
    limit,
    ...given,
  };
  return { question, limit, covered: coveredBy(question, window, nowMs), params, missing };
}

function coveredBy({ bin }: Question, window: Window, nowMs: number): Window | undefined {
  if (bin === undefined) return undefined;
  const covered = inBins(window, bin, nowMs);
  const isAsIs = covered.sinceUs === window.sinceUs && covered.untilUs === window.untilUs;
  return isAsIs ? undefined : covered;
}

/** Which window the answer is of, and why; undefined where it is the one asked for. */
export function coveredText({ question: { bin }, covered }: Bound): string | undefined {
  if (bin === undefined || covered === undefined) return undefined;
  const second = (us: number): string => timeText(us).slice(0, 'YYYY-MM-DD hh:mm:ss'.length);
  return `the window is ${second(covered.sinceUs)} to ${second(covered.untilUs)}: ${bin.view} holds sums of ${bin.length}`;
}
