/** All scenarios, by topic. */
import type { Scenario } from './scenario.ts';
import { CLOSE } from './scenarios/close.ts';
import { CONNECT } from './scenarios/connect.ts';
import { RETRANSMIT } from './scenarios/retransmit.ts';
import { SERVER } from './scenarios/server.ts';

export const SCENARIOS: readonly Scenario[] = [...CLOSE, ...CONNECT, ...SERVER, ...RETRANSMIT];
