/**
 * A BPF ring buffer read in place: records are handed out where the kernel wrote them.
 *
 * Record: u32 length (bit 31: still being written, bit 30: given up), u32 unused, payload, padding to 8.
 * Positions are bytes written since the ring was made; they only grow. A record that wraps is put together in memory
 * of our own: the kernel would map the data twice in a row for that, but each page would count twice as resident. All
 * records of a ring have one length: another is a bad record.
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
  /** Bytes of every record, a multiple of 8: records stand back to back. */
  readonly recordBytes: number;
  /** Makes of what wants records of this version what takes those of the ring. */
  readonly translated?: (onRecord: OnRecord) => OnRecord;
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
  /** Shares of the ring, 0 to 1: not released, and not read. */
  fill(): number;
  unread(): number;
  /** Records passed over because their length was not that of a record. */
  readonly badRecords: number;
  /**
   * Hands out records from `position` up to `upTo`; stops early at one still being written. Returns their number.
   * After a bad one it goes on at the next record, or where the kernel is when that cannot be told.
   */
  drain(upTo: number, onRecord: OnRecord): number;
  /** Goes on at `position`, if that is ahead: what stands before it was read by another reader. */
  skipTo(position: number): void;
  /** Gives the room up to `upTo` (default: all that was read) back to the kernel. */
  release(upTo?: number): void;
}

const HEADER_BYTES = 8;
const BUSY = 0x8000_0000;
const DISCARDED = 0x4000_0000;
const LENGTH = 0x3fff_ffff;

export function createRingBuffer(memory: RingMemory): RingBuffer {
  const { consumer, producer, words, bytes, size, recordBytes } = memory;
  /** The position is `begun` and `moved`: a number that is beyond 2^31 and changes with each record goes to the heap. */
  let begun = Number(Atomics.load(consumer, 0));
  let moved = 0;
  /** Of the position in the data: beyond 2^31 a remainder for each record would cost more than reading it. */
  let offset = begun % size;
  let released = begun;
  const joined = new Uint8Array((recordBytes + 7) & ~7);
  const joinedWords = new Uint32Array(joined.buffer);

  /** The record at `at`, which goes on at the start of the ring. */
  function join(at: number): void {
    const first = size - at;
    joined.set(bytes.subarray(at, size));
    joined.set(bytes.subarray(0, recordBytes - first), first);
  }

  let badRecords = 0;
  const stride = recordBytes + HEADER_BYTES;

  const position = (): number => begun + moved;
  const producerPosition = (): number => Number(Atomics.load(producer, 0));
  const headerAt = (at: number): number => Atomics.load(words, at >> 2);

  function moveBy(bytesOn: number): void {
    moved += bytesOn;
    offset += bytesOn;
    if (offset >= size) offset %= size;
  }

  /** All records are of one size, so the next one stands a stride on, if what stands there looks like one. */
  function passOver(): void {
    const end = producerPosition();
    const next = position() + stride;
    const isRecord = next < end && (headerAt(next % size) & LENGTH) === recordBytes;
    const resumed = isRecord ? next : end;
    badRecords += Math.max(1, Math.round((resumed - position()) / stride));
    moveBy(resumed - position());
  }

  return {
    size,
    get position() {
      return position();
    },
    get released() {
      return released;
    },
    producerPosition,
    get badRecords() {
      return badRecords;
    },
    fill: () => (producerPosition() - released) / size,
    unread: () => (producerPosition() - position()) / size,
    drain(upTo, onRecord) {
      const take = memory.translated?.(onRecord) ?? onRecord;
      let count = 0;
      begun += moved;
      moved = 0;
      const end = upTo - begun;
      while (moved < end) {
        const header = headerAt(offset);
        if (header & BUSY) break;
        if ((header & LENGTH) !== recordBytes) {
          passOver();
          continue;
        }
        if (!(header & DISCARDED)) {
          const at = offset + HEADER_BYTES;
          if (at + recordBytes <= size) {
            take(words, bytes, at);
          } else {
            join(at);
            take(joinedWords, joined, 0);
          }
          count += 1;
        }
        moveBy(stride);
      }
      return count;
    },
    skipTo(to) {
      if (to > position() && to <= producerPosition()) moveBy(to - position());
    },
    release(upTo = position()) {
      if (upTo < released || upTo > position())
        throw new RangeError(`release ${upTo}, read ${released} to ${position()}`);
      released = upTo;
      Atomics.store(consumer, 0, BigInt(upTo));
    },
  };
}
