/** The number a record has in the kernel's account: its CPU, and the place in the count of that. */
import { RING } from '@tcptrail/schemas/generated/ring.ts';

export function cpuOf(bytes: Uint8Array, at: number): number {
  return (bytes[at + RING.cpu] as number) | ((bytes[at + RING.cpu + 1] as number) << 8);
}

export function seqOf(words: Uint32Array, at: number): number {
  const word = (at + RING.seq) >>> 2;
  return (words[word + 1] as number) * 0x1_0000_0000 + (words[word] as number);
}
