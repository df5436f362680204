/** Rows of a listener. */
import { addressDigits } from './address.ts';
import { type Check, oneOf } from './check.ts';
import { inside } from './clock.ts';
import type { Expectation, Fields } from './expected.ts';
import { ownerFields } from './owner-fields.ts';
import type { Listening } from './socket.ts';

export function listenRows(
  { cookie, family, process, local, backlog, start }: Listening,
  at: { readonly namespace: number; readonly end: number; readonly unlisten: Fields },
): readonly Expectation[] {
  const fields: Fields = {
    late: false,
    own: false,
    family,
    role: 'server',
    local_address: addressDigits(local.address),
    local_port: local.port,
    peer_port: 0,
    peer_address: oneOf('0'.repeat(32), addressDigits('0.0.0.0')),
    socket_cookie: cookie,
    socket_uid: process.uid,
    ...ownerFields(process, 'listener'),
    accept_queue_max: backlog,
    connections: 0,
  };
  const row = (kind: string, ts: Check, more: Fields): Expectation => ({
    kind,
    namespace: at.namespace,
    key: { socket_cookie: cookie },
    least: 1,
    most: 1,
    fields: { ...fields, ts, ...more },
  });
  return [
    row('listen', inside(start), { accept_queue: 0, listen_drops: 0 }),
    row('unlisten', inside({ before: start.after, after: at.end }), { accept_queue: 0, ...at.unlisten }),
  ];
}
