/** A growing buffer of Avro binary. One writer serves many data: `take` copies out what was written. */
import { VARINT_ROOM, writeLong } from './varint.ts';

export interface AvroWriter {
  boolean(value: boolean): void;
  /** A safe integer. */
  long(value: number): void;
  string(value: string): void;
  raw(bytes: Uint8Array): void;
  /** Copy of everything written since the last `take`. */
  take(): Uint8Array;
  /** Forgets what was written since the last `take`. */
  reset(): void;
}

export function createAvroWriter(bytesInitial = 64 * 1024): AvroWriter {
  let buffer = new Uint8Array(bytesInitial);
  let view = new DataView(buffer.buffer);
  let position = 0;

  function reserve(bytes: number): void {
    if (position + bytes <= buffer.length) return;
    const larger = new Uint8Array(Math.max(buffer.length * 2, position + bytes));
    larger.set(buffer.subarray(0, position));
    buffer = larger;
    view = new DataView(buffer.buffer);
  }
  function long(value: number): void {
    reserve(VARINT_ROOM);
    position = writeLong(view, position, value);
  }
  function raw(bytes: Uint8Array): void {
    reserve(bytes.length);
    buffer.set(bytes, position);
    position += bytes.length;
  }
  return {
    boolean(value) {
      reserve(1);
      buffer[position++] = value ? 1 : 0;
    },
    long,
    string(value) {
      const bytes = Buffer.from(value, 'utf8');
      long(bytes.length);
      raw(bytes);
    },
    raw,
    take() {
      const taken = buffer.slice(0, position);
      position = 0;
      return taken;
    },
    reset() {
      position = 0;
    },
  };
}
