/** Whether the peer of a record is this host itself. */
import { RING } from '@tcptrail/schemas/generated/ring.ts';
import { networkOf } from './network.ts';

const NETWORKS = ['127.0.0.0/8', '::1'].map(networkOf);
const PEER = RING.peer_address >> 2;

/** The record at byte `at` is of a connection over loopback. */
export function isLoopback(words: Uint32Array, at: number): boolean {
  for (const network of NETWORKS) if (network?.holds(words, (at >>> 2) + PEER)) return true;
  return false;
}
