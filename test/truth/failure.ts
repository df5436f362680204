/** What a scenario failed by, and of which kinds it may be played again. Pure. */
import { Overdue } from '../harness/until.ts';

/** A kind → the column that counts it. */
export const COLUMN_OF = {
  /** A row or a sum that says something untrue. */
  wrong: 'wrong',
  /** A row that tells of an end which no program saw, and differs in nothing but what it then cannot know. */
  late: 'wrong',
  /** A sum that lacks something. */
  short: 'wrong',
  missing: 'missing',
  /** The scenario missed a deadline that no row was waited for. */
  overdue: 'missing',
  /** The scenario broke off by itself. */
  failed: 'missing',
  invented: 'invented',
} as const satisfies Record<string, 'wrong' | 'missing' | 'invented'>;

export type FailureKind = keyof typeof COLUMN_OF;
export type Column = (typeof COLUMN_OF)[FailureKind];

export interface Failure {
  readonly kind: FailureKind;
  readonly line: string;
}

export const FAILURE_KINDS = Object.keys(COLUMN_OF) as readonly FailureKind[];

/** The scenario waited for a row and can say no more without it. */
export class RowNeverCame extends Error {}

/** Of an error that a scenario broke off by. */
export function failureOf(error: Error): Failure {
  const kind = error instanceof RowNeverCame ? 'missing' : error instanceof Overdue ? 'overdue' : 'failed';
  return { kind, line: `it failed: ${error.stack}` };
}

/** Calls that reach no program take rows away, or their time; they never write one. */
const BY_LOST_CALLS: readonly FailureKind[] = ['missing', 'short', 'late'];
/** A processor that is too slow also keeps a scenario from its own deadlines. */
const BY_SLOWNESS: readonly FailureKind[] = [...BY_LOST_CALLS, 'overdue'];

const isAllOf = (kinds: readonly FailureKind[], allowed: readonly FailureKind[]): boolean =>
  kinds.length > 0 && kinds.every((kind) => allowed.includes(kind));

/** Whether lost calls explain all that a scenario failed by. */
export const mayBeLostCalls = (kinds: readonly FailureKind[]): boolean => isAllOf(kinds, BY_LOST_CALLS);

/** Whether an emulated processor explains it. */
export const mayBeSlowness = (kinds: readonly FailureKind[]): boolean => isAllOf(kinds, BY_SLOWNESS);
