/** What rows of every kind say of a connection, as its socket's log tells it. */
import { addressDigits } from './address.ts';
import { all, between, number, oneOf, sameAs, type Wanted } from './check.ts';
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

function handshake(life: Life): Wanted {
  if (!life.established) return 0;
  return life.role === 'server' ? serverHandshake(life) : clientHandshake(life, life.established);
}

/** States of TCP_INFO. */
const SYN_RECV = 3;
const TIMESTAMPS = 1;

/**
 * The kernel's own sample over SYN-ACK and ACK: no other is taken before the server sends data. One that came of
 * timestamps is in whole milliseconds, so that one of whole milliseconds may be told as none.
 */
function serverHandshake({ born, established, start, isUnmeasured }: Life): Wanted {
  if (isUnmeasured) return 0;
  // Fast Open gives the socket away before the handshake is over.
  if (!born || born['state'] === SYN_RECV) return between(0, (established?.after ?? 0) - start.before);
  const { rtt = 0, options = 0, total_retrans = 0 } = born;
  const isDoubtful = (options & TIMESTAMPS) !== 0 && total_retrans === 0 && rtt % 1_000 === 0;
  return isDoubtful ? oneOf(0, rtt) : rtt;
}

/** No shorter than the kernel's sample over SYN and SYN-ACK, no longer than the call; as the row's own times say. */
function clientHandshake({ born, start }: Life, established: Bracket): Wanted {
  // A sample over a SYN that was sent again is of the last one, or of timestamps.
  const { rtt = 0, total_retrans = 0 } = born ?? {};
  const least = total_retrans > 0 ? 0 : rtt - ROUND_US;
  return all(
    between(least, established.after - start.before + ROUND_US),
    sameAs(
      'established_ts - start_ts',
      (row) => number(row, 'established_ts') - number(row, 'start_ts'),
      ROUND_US,
    ),
  );
}

export const keyOf = ({ cookie, generation }: Life): Record<string, Value> => ({
  socket_cookie: cookie,
  generation,
});
