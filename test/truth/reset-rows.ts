/** Rows of resets. */
import { atLeast } from './check.ts';
import { inside } from './clock.ts';
import type { Expectation } from './expected.ts';
import { type Ended, endpoints, keyOf, lifeFields } from './life-fields.ts';
import { NO_OWNER } from './owner-fields.ts';
import type { Bracket } from './reply.ts';
import type { Endpoint } from './socket.ts';

/** A reset of a connection; its reason is that of the kernel, for one sent. */
export function resetRow(
  { life, namespace, listener, ts, fields, about }: Ended,
  direction: string,
): Expectation {
  const { counters_since: _since, ...same } = lifeFields(life, listener);
  return {
    kind: 'reset',
    namespace,
    key: { ...keyOf(life), reset_direction: direction },
    least: 1,
    most: 1,
    fields: { ...same, ts: inside(ts), duration_us: atLeast(0), connections: 0, ...about, ...fields },
  };
}

interface Stray {
  readonly namespace: number;
  readonly ts: Bracket;
  readonly family: string;
}

/** A reset sent where there was no socket. */
export function strayResetRow(
  [local, peer]: readonly [Endpoint, Endpoint],
  { namespace, ts, family }: Stray,
): Expectation {
  return {
    kind: 'reset',
    namespace,
    key: { socket_cookie: 0, local_port: local.port, peer_port: peer.port },
    least: 1,
    most: 1,
    fields: {
      ...endpoints(local, peer),
      ...NO_OWNER,
      family,
      reset_direction: 'sent',
      reset_reason: 'no_socket',
      role: 'unknown',
      generation: 0,
      ts: inside(ts),
      connections: 0,
      late: false,
    },
  };
}

/**
 * On a busy machine a late segment may meet no connection any more, once this end is gone. `most`: resets that the
 * kernel has counted in the namespace beyond those that had to come.
 */
export function lateResetRows({ life, namespace, ts, endUs }: Ended, most: number): Expectation {
  const at = { namespace, ts: { before: ts.before, after: endUs }, family: life.family };
  return { ...strayResetRow([life.local, life.peer], at), least: 0, most };
}
