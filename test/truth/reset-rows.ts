/** Rows of resets. */
import { inside } from './clock.ts';
import type { Expectation } from './expected.ts';
import { type Ended, endpoints, keyOf, lifeFields } from './life-fields.ts';
import { NO_OWNER, ownerFields } from './owner-fields.ts';
import type { Bracket } from './reply.ts';
import type { Endpoint, Listening } from './socket.ts';

/** What the peer resets for, no segment says. */
const NOT_TOLD = 'not_specified';

/** A reset of a connection; its reason is that of the kernel, for one sent. */
export function resetRow(
  { life, namespace, listener, ts, fields, about }: Ended,
  direction: string,
): Expectation {
  return {
    kind: 'reset',
    namespace,
    key: { ...keyOf(life), reset_direction: direction },
    least: 1,
    most: 1,
    fields: {
      ...lifeFields(life, listener),
      ts: inside(ts),
      connections: 0,
      ...(direction === 'received' ? { reset_reason: NOT_TOLD } : {}),
      ...about,
      ...fields,
    },
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
    key: { socket_cookie: 0, local_port: local.port, peer_port: peer.port, reset_reason: 'no_socket' },
    least: 1,
    most: 1,
    fields: {
      ...endpoints(local, peer),
      ...NO_OWNER,
      family,
      reset_direction: 'sent',
      role: 'unknown',
      generation: 0,
      ts: inside(ts),
      connections: 0,
      late: false,
    },
  };
}

/** A reset sent to what is no part of any connection, where something listens. */
export function listenerResetRow(
  ends: readonly [Endpoint, Endpoint],
  stray: Stray,
  listener: Listening,
): Expectation {
  const row = strayResetRow(ends, stray);
  return {
    ...row,
    key: { ...row.key, reset_reason: 'tcp_flags' },
    fields: { ...row.fields, ...ownerFields(listener.process, 'listener') },
  };
}

/**
 * On a busy machine a late segment may meet no connection any more, once this end is gone: nothing, or the listener
 * that it came from. `most`: resets that the kernel has counted in the namespace beyond those that had to come.
 */
export function lateResetRows(
  { life, namespace, listener, ts, endUs }: Ended,
  most: number,
): readonly Expectation[] {
  const at = { namespace, ts: { before: ts.before, after: endUs }, family: life.family };
  const ends = [life.local, life.peer] as const;
  const strays = [strayResetRow(ends, at), ...(listener ? [listenerResetRow(ends, at, listener)] : [])];
  return strays.map((stray) => ({ ...stray, least: 0, most }));
}
