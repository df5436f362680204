/** Which scenarios are tried a second time in a guest, and what both tries came to. Pure. */
import { mayBeSlowness } from '../truth/failure.ts';
import type { Scenario } from './guest-line.ts';

/** So many may fail because sixteen run at once on an emulated processor; where more do, it is something else. */
export const SECOND_TRIES_MAX = 12;

/** Names of those that slowness may explain; none where they are too many. */
export function secondTryOf(scenarios: readonly Scenario[]): readonly string[] {
  const slow = scenarios.filter(({ result, kinds }) => result === 'failed' && mayBeSlowness(kinds));
  return slow.length > SECOND_TRIES_MAX ? [] : slow.map(({ name }) => name);
}

/** The last try counts, and tells how the first failed. */
export function withSecondTry(first: readonly Scenario[], second: readonly Scenario[]): readonly Scenario[] {
  return first.map((scenario) => {
    const again = second.find(({ name }) => name === scenario.name);
    return again ? { ...again, first: scenario.reason } : scenario;
  });
}
