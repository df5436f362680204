/** A ring in plain memory where everything but the records written last is poison, before and behind it too. */
import { RING_EVENT_BYTES } from '@tcptrail/schemas/generated/ring.ts';
import { createRingBuffer, type RingBuffer } from '../../src/trace/ring-buffer.ts';
import type { Mutant } from './mutate.ts';

const SIZE = 64 * 1024;
const STRIDE = RING_EVENT_BYTES + 8;
/** No value of an enum or a bool: a record of it is bad, and one byte of it in a row shows. */
const POISON = 0xc8;

export interface PoisonedRing {
  readonly reader: RingBuffer;
  /** Appends the records as the kernel would, and poisons all others. */
  write(mutants: readonly Mutant[]): void;
}

export function createPoisonedRing(): PoisonedRing {
  const memory = new ArrayBuffer(4 * SIZE);
  const bytes = new Uint8Array(memory, SIZE, 2 * SIZE);
  const producer = new BigUint64Array(1);
  const reader = createRingBuffer({
    consumer: new BigUint64Array(1),
    producer,
    words: new Uint32Array(memory, SIZE, SIZE / 2),
    bytes,
    size: SIZE,
    recordBytes: RING_EVENT_BYTES,
  });
  const raw = Buffer.alloc(STRIDE);
  let end = 0;
  return {
    reader,
    write(mutants) {
      new Uint8Array(memory).fill(POISON);
      for (const { header, record } of mutants) {
        raw.writeUInt32LE(header, 0);
        record.copy(raw, 8);
        const at = end % SIZE;
        const first = Math.min(STRIDE, SIZE - at);
        // The same pages twice: what runs over the end of the first half begins the second.
        bytes.set(raw, at);
        bytes.set(raw.subarray(0, first), at + SIZE);
        bytes.set(raw.subarray(first), 0);
        end += STRIDE;
      }
      producer[0] = BigInt(end);
    },
  };
}
