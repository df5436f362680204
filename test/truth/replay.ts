/** Plays scenarios again that failed by what calls explain which reached no program (docs/decisions/0012). */
import { mayBeLostCalls } from './failure.ts';
import type { Result } from './result.ts';
import type { Scenario } from './scenario.ts';

/** Times that a scenario is played again at most; each needs its own evidence. */
export const AGAIN_MAX = 3;

/** A call that reached no program may take a row, and what that row adds to a sum of its connection and its namespace. */
const LINES_A_CALL = 3;

export interface Played {
  readonly results: readonly Result[];
  /** Calls that reached no program; undefined where that cannot be known. */
  readonly unreached: number | undefined;
}

export interface Replayed extends Played {
  /** A scenario's name → times that it was played again. */
  readonly again: Readonly<Record<string, number>>;
}

/** `play` plays these scenarios; `say` is told why. The last result of each counts. */
export async function playAgain(
  first: Played,
  play: (scenarios: readonly Scenario[]) => Promise<Played>,
  say: (line: string) => void,
): Promise<Replayed> {
  const again: Record<string, number> = {};
  let { results, unreached } = first;
  let last = first;
  for (let time = 0; time < AGAIN_MAX && (last.unreached ?? 0) > 0; time += 1) {
    say(`! ${last.unreached} calls of tracepoints reached no program: the host keeps them away at times`);
    const chosen = results.filter(({ failures }) => mayBeLostCalls(failures.map(({ kind }) => kind)));
    if (chosen.length === 0) break;
    const lines = chosen.reduce((count, { failures }) => count + failures.length, 0);
    if (lines > (last.unreached ?? 0) * LINES_A_CALL) {
      say(`! not played again: ${lines} lines are more than those calls explain`);
      break;
    }
    const scenarios = chosen.map(({ scenario }) => scenario);
    const names = scenarios.map(({ name }) => name);
    say(`! played again, as what they lack may be those calls: ${names.join(', ')}`);
    last = await play(scenarios);
    for (const name of names) again[name] = (again[name] ?? 0) + 1;
    const { results: newer } = last;
    results = results.map((one) => newer.find(({ scenario }) => scenario === one.scenario) ?? one);
    unreached = sum(unreached, last.unreached);
  }
  return { results, unreached, again };
}

const sum = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? undefined : a + b;
