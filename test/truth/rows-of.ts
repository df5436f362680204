/** Rows of one socket, of a kind. */
import type { Expectation } from './expected.ts';
import type { Row } from './rows.ts';
import type { Socket } from './socket.ts';
import type { Network } from './truth.ts';

export const isKind =
  (kind: string, socket: Socket) =>
  (row: Row): boolean =>
    row['kind'] === kind && row['socket_cookie'] === socket.cookie;

/** Any number of them, which say this. */
export const some = (
  kind: string,
  { inode }: Network,
  { cookie }: Socket,
  fields: Expectation['fields'],
): Expectation => ({
  kind,
  namespace: inode,
  key: { socket_cookie: cookie },
  fields,
  least: 0,
  most: Number.POSITIVE_INFINITY,
});
