/** A BPF ring in plain memory, filled with records over and over: read as the agent reads the kernel's. */
import { createRingBuffer, type RingBuffer } from '@tcptrail/agent/trace/ring-buffer.ts';
import { RING_EVENT_BYTES } from '@tcptrail/schemas/generated/ring.ts';

const HEADER_BYTES = 8;
const STRIDE = HEADER_BYTES + RING_EVENT_BYTES;
/** A multiple of every size: positions of a ring that has served a while are beyond 32 bits. */
const BEGIN = 2n ** 40n;

export interface FilledRing {
  /** Records in it. */
  readonly count: number;
  /** A reader that finds all of them unread. */
  reader(): RingBuffer;
}

/** `size`: a power of two. `countMax`: fewer than there is room for. */
export function createFilledRing(
  size: number,
  records: readonly Uint8Array[],
  countMax = Number.POSITIVE_INFINITY,
): FilledRing {
  const bytes = new Uint8Array(size);
  const words = new Uint32Array(bytes.buffer);
  const count = Math.min(countMax, Math.floor(size / STRIDE));
  for (let index = 0; index < count; index++) {
    const record = records[index % records.length];
    if (!record) throw new Error('no records');
    words[(index * STRIDE) / 4] = RING_EVENT_BYTES;
    bytes.set(record, index * STRIDE + HEADER_BYTES);
  }
  const producer = new BigUint64Array([BEGIN + BigInt(count * STRIDE)]);
  return {
    count,
    reader: () =>
      createRingBuffer({
        consumer: new BigUint64Array([BEGIN]),
        producer,
        words,
        bytes,
        size,
        recordBytes: RING_EVENT_BYTES,
      }),
  };
}
