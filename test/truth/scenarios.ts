/** All scenarios, by topic. */
import type { Scenario } from './scenario.ts';
import { CLOSE } from './scenarios/close.ts';
import { CONNECT } from './scenarios/connect.ts';
import { COUNTERS } from './scenarios/counters.ts';
import { DATA } from './scenarios/data.ts';
import { HALF_OPEN } from './scenarios/half-open.ts';
import { LISTENER } from './scenarios/listener.ts';
import { MPTCP } from './scenarios/mptcp.ts';
import { NODE } from './scenarios/node.ts';
import { OWNER } from './scenarios/owner.ts';
import { PLACE } from './scenarios/place.ts';
import { RETRANSMIT } from './scenarios/retransmit.ts';
import { SERVER } from './scenarios/server.ts';
import { TIME } from './scenarios/time.ts';
import { UNSENT } from './scenarios/unsent.ts';
import { URING } from './scenarios/uring.ts';

export const SCENARIOS: readonly Scenario[] = [
  ...CLOSE,
  ...CONNECT,
  ...UNSENT,
  ...SERVER,
  ...HALF_OPEN,
  ...COUNTERS,
  ...DATA,
  ...OWNER,
  ...PLACE,
  ...URING,
  ...MPTCP,
  ...NODE,
  ...TIME,
  ...LISTENER,
  ...RETRANSMIT,
];
