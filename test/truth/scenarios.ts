/** All scenarios, by topic. */
import type { Scenario } from './scenario.ts';
import { CLOSE } from './scenarios/close.ts';

export const SCENARIOS: readonly Scenario[] = [...CLOSE];
