/** What connections that are folded together agree in, as two numbers to look it up by. */
import { ROLES } from '@tcptrail/schemas/enums.ts';
import { RING } from '@tcptrail/schemas/generated/ring.ts';
import { SAME } from './summary-fields.ts';

const SERVER = ROLES.indexOf('server');

/** Byte offsets of the service's port and of the other one. */
export const portOfService = (role: number): number => (role === SERVER ? RING.local_port : RING.peer_port);
export const portOfPeer = (role: number): number => (role === SERVER ? RING.peer_port : RING.local_port);

export function servicePort(bytes: Uint8Array, at: number): number {
  const offset = at + portOfService(bytes[at + RING.role] as number);
  return (bytes[offset] as number) | ((bytes[offset + 1] as number) << 8);
}

export interface Key {
  readonly first: number;
  readonly second: number;
}

/** The key of the record at byte `at`, whose owner is of that program. The same object at every call. */
export function keyOf(words: Uint32Array, bytes: Uint8Array, at: number, program: number): Key {
  const base = at >>> 2;
  let first = Math.imul(program, 0x9e37_79b1) ^ servicePort(bytes, at);
  let second = first ^ 0x5bd1_e995;
  for (let index = 0; index < SAME.words.length; index++) {
    const word = (words[base + (SAME.words[index] as number)] as number) & (SAME.bits[index] as number);
    first = Math.imul(first ^ word, 0x85eb_ca6b);
    first ^= first >>> 15;
    second = Math.imul(second ^ word, 0xc2b2_ae35);
    second ^= second >>> 13;
  }
  KEY.first = first;
  KEY.second = second;
  return KEY;
}

const KEY = { first: 0, second: 0 };
