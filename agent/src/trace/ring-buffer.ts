/**
 * A BPF ring buffer read in place: records are handed out where the kernel wrote them.
 *
 * Record: u32 length (bit 31: still being written, bit 30: given up), u32 unused, payload, padding to 8.
 * Positions are bytes written since the ring was made; they only grow. A record that wraps is put together in memory
 * of our own: the kernel would map the data twice in a row for that, but each page would count twice as resident.
 */

/**
 * `at`: byte offset of the record in both views, 8-aligned. Valid until the next record, or until the position behind
 * it is released.
 */
export type OnRecord = (words: Uint32Array, bytes: Uint8Array, at: number) => void;

export interface RingMemory {
  /** One u64 each: how far the reader is, how far the kernel is. */
  readonly consumer: BigUint64Array;
  readonly producer: BigUint64Array;
  /** The data: `size` bytes at least. */
  readonly words: Uint32Array;
  readonly bytes: Uint8Array;
  readonly size: number;
  /** Bytes of every record. */
  readonly recordBytes: number;
}

export interface RingBuffer {
  /** Bytes the ring holds. */
  readonly size: number;
  /** Read up to here, by this reader. */
  readonly position: number;
  /** Free for the kernel up to here. */
  readonly released: number;
  /** The kernel has taken room up to here. */
  producerPosition(): number;
  /** Share of the ring not released, 0 to 1. */
  fill(): number;
  /** Hands out records from `position` up to `upTo`; stops early at one still being written. Returns their number. */
  drain(upTo: number, onRecord: OnRecord): number;
  /** Gives the room up to `upTo` (default: all that was read) back to the kernel. */
  release(upTo?: number): void;
}

const HEADER_BYTES = 8;
const BUSY = 0x8000_0000;
const DISCARDED = 0x4000_0000;
const LENGTH = 0x3fff_ffff;

export function createRingBuffer(memory: RingMemory): RingBuffer {
  const { consumer, producer, words, bytes, size, recordBytes } = memory;
  let position = Number(Atomics.load(consumer, 0));
  let released = position;
  const joined = new Uint8Array((recordBytes + 7) & ~7);
  const joinedWords = new Uint32Array(joined.buffer);

  /** The record at `at`, which goes on at the start of the ring. */
  function join(at: number): void {
    const first = size - at;
    joined.set(bytes.subarray(at, size));
    joined.set(bytes.subarray(0, recordBytes - first), first);
  }

  const producerPosition = (): number => Number(Atomics.load(producer, 0));
  return {
    size,
    get position() {
      return position;
    },
    get released() {
      return released;
    },
    producerPosition,
    fill: () => (producerPosition() - released) / size,
    drain(upTo, onRecord) {
      let count = 0;
      let offset = position % size;
      while (position < upTo) {
        const header = Atomics.load(words, offset >> 2);
        if (header & BUSY) break;
        const length = header & LENGTH;
        if (!(header & DISCARDED)) {
          if (length !== recordBytes)
            throw new Error(`ring record of ${length} bytes at ${position}, not ${recordBytes}`);
          const at = offset + HEADER_BYTES;
          if (at + length <= size) {
            onRecord(words, bytes, at);
          } else {
            join(at);
            onRecord(joinedWords, joined, 0);
          }
          count += 1;
        }
        const taken = (HEADER_BYTES + length + 7) & ~7;
        position += taken;
        offset = (offset + taken) % size;
      }
      return count;
    },
    release(upTo = position) {
      if (upTo < released || upTo > position)
        throw new RangeError(`release ${upTo}, read ${released} to ${position}`);
      released = upTo;
      Atomics.store(consumer, 0, BigInt(upTo));
    },
  };
}
