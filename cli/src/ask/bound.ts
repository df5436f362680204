/** A question bound to its window, hosts and parameters. */
import type { Parameter, Question } from '@tcptrail/schemas/question.ts';
import { valuesOf } from './parameters.ts';
import { windowOf } from './window.ts';

export interface CommonOptions {
  readonly since?: string;
  readonly until?: string;
  readonly host?: readonly string[];
  readonly own?: boolean;
  readonly limit?: number;
}

export interface Bound {
  readonly question: Question;
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
  const params = {
    ...windowOf({ since: options.since ?? question.since, until: options.until }, nowMs),
    hosts: options.host ?? [],
    own: options.own ?? false,
    limit: options.limit ?? question.limit,
    ...given,
  };
  return { question, params, missing };
}
