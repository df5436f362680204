/** What rows of every kind say of a connection, as its socket's log tells it. */
import { addressDigits } from './address.ts';
import { between, number, sameAs, type Wanted } from './check.ts';
import { inside } from './clock.ts';
import type { Fields } from './expected.ts';
import { lifeOwner } from './owner-fields.ts';
import type { Bracket } from './reply.ts';
import type { Value } from './rows.ts';
import type { Endpoint, Life, Listening } from './socket.ts';

export interface Ended {
  readonly life: Life;
  readonly namespace: number;
  readonly listener?: Listening | undefined;
  /** When the row may have happened. */
  readonly ts: Bracket;
  /** When the scenario was over. µs. */
  readonly endUs: number;
  /** Over what the log says: of this row, and of all rows of the connection. */
  readonly fields: Fields;
  readonly about?: Fields | undefined;
}

/** So that a row's own times agree to the microsecond they are cut to. */
const ROUND_US = 2;

export const endpoints = (local: Endpoint, peer: Endpoint): Record<string, Wanted> => ({
  local_address: addressDigits(local.address),
  local_port: local.port,
  peer_address: addressDigits(peer.address),
  peer_port: peer.port,
});

/** Which connection, whose, and since when: in rows of every kind of it. */
export function lifeFields(life: Life, listener?: Listening): Fields {
  const { established, start, maker } = life;
  return {
    late: false,
    own: false,
    socket_cookie: life.cookie,
    generation: life.generation,
    role: life.role,
    family: life.family,
    ...endpoints(life.local, life.peer),
    mptcp_subflow: false,
    socket_uid: maker.uid,
    ...(maker.cgroup_id > 0 ? { socket_cgroup_id: maker.cgroup_id } : {}),
    ...lifeOwner(life, listener),
    counters_since: 'birth',
    start_ts: inside(start),
    established_ts: established ? inside(established) : 0,
    handshake_us: handshake(life),
    duration_us: sameAs('ts - start_ts', (row) => number(row, 'ts') - number(row, 'start_ts'), ROUND_US),
  };
}

function handshake({ role, established, start, isUnmeasured }: Life): Wanted {
  if (!established) return 0;
  if (role === 'server') return between(isUnmeasured ? 0 : 1, established.after - start.before);
  return sameAs(
    'established_ts - start_ts',
    (row) => number(row, 'established_ts') - number(row, 'start_ts'),
    2,
  );
}

export const keyOf = ({ cookie, generation }: Life): Record<string, Value> => ({
  socket_cookie: cookie,
  generation,
});
