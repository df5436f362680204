/** A scenario: a name, what happens in it, what it needs of the machine. */
import type { Need } from './needs.ts';
import type { Truth } from './truth.ts';

export interface Scenario {
  readonly name: string;
  /** One sentence for docs/accuracy.md. */
  readonly what: string;
  readonly needs?: readonly Need[];
  /** It starts an agent in the middle: it runs when all others are done. */
  readonly startsAgent?: true;
  run(t: Truth): Promise<void>;
}

type Run = Scenario['run'];

/** One row of a table of scenarios. */
export function scenario(
  name: string,
  what: string,
  ...rest: readonly [Run] | readonly [readonly Need[], Run]
): Scenario {
  const [needs, run] = rest.length === 1 ? [[], rest[0]] : rest;
  return { name, what, needs, run };
}
