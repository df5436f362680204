/** All scenarios, by topic. */
import type { Scenario } from './scenario.ts';
import { CLOSE } from './scenarios/close.ts';
import { CONNECT } from './scenarios/connect.ts';
import { COUNTERS } from './scenarios/counters.ts';
import { DATA } from './scenarios/data.ts';
import { NODE } from './scenarios/node.ts';
import { OWNER } from './scenarios/owner.ts';
import { RETRANSMIT } from './scenarios/retransmit.ts';
import { SERVER } from './scenarios/server.ts';
import { TIME } from './scenarios/time.ts';

export const SCENARIOS: readonly Scenario[] = [
  ...CLOSE,
  ...CONNECT,
  ...SERVER,
  ...COUNTERS,
  ...DATA,
  ...OWNER,
  ...NODE,
  ...TIME,
  ...RETRANSMIT,
];
