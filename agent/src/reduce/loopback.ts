/** Whether the peer of a record is this host itself. */
import { RING } from '@tcptrail/schemas/generated/ring.ts';
import { networkOf, networksOf } from './network.ts';

const LOOPBACK = networksOf(['127.0.0.0/8', '::1'].map(networkOf).filter((network) => network !== undefined));
const PEER = RING.peer_address >> 2;

/** The record at byte `at` is of a connection over loopback. */
export function isLoopback(words: Uint32Array, at: number): boolean {
  return LOOPBACK.hold(words, (at >>> 2) + PEER);
}
