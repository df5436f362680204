/** What a guest tells, one JSON object a line of its second serial port. */

import type { Capability } from '@tcptrail/agent/trace/programs.ts';
import type { FailureKind } from '../truth/failure.ts';

export type GuestLine =
  /** `capabilities`: every program that the agent tried. */
  | { readonly kind: 'runs'; readonly capabilities: readonly Capability[] }
  /** The agent ended before it recorded: all that it said. */
  | { readonly kind: 'refuses'; readonly exitCode: number | string; readonly said: string }
  | Check
  | Scenario
  /** Nothing is missing behind it. */
  | { readonly kind: 'end' };

export interface Check {
  readonly kind: 'check';
  /** A fact. */
  readonly name: string;
  /** '' or how it is not so. */
  readonly wrong: string;
}

/** One of test/truth. */
export interface Scenario {
  readonly kind: 'scenario';
  readonly name: string;
  readonly result: 'passed' | 'failed' | 'skipped';
  /** Why it was skipped, or how it failed. */
  readonly reason: string;
  /** Of what kinds it failed. */
  readonly kinds: readonly FailureKind[];
  /** How it failed at the first try; '' where there was one only. */
  readonly first: string;
}
