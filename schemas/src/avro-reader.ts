/** A position in a piece of Avro binary. Every read is bounded: damage ends in an AppError, never in garbage. */
import { isUtf8 } from 'node:buffer';
import { AppError } from './app-error.ts';

/** Of 64 bits. */
const VARINT_BYTES_MAX = 10;

export interface AvroReader {
  /** Byte offset of the next value. */
  position: number;
  boolean(): boolean;
  /** Throws DECODE_RANGE beyond ±2^53. */
  long(): number;
  /** Throws DECODE_RANGE unless it is UTF-8. */
  string(): string;
  skip(bytes: number): void;
  /** Passes over a number of up to 64 bits. */
  skipLong(): void;
  /** Throws DECODE_TRAILING unless everything was read. */
  end(): void;
}

export function decodeTruncated(offset: number): AppError {
  return new AppError(
    'DECODE_TRUNCATED',
    `batch ends early at byte ${offset}; it is damaged or not a tcptrail batch`,
  );
}

export function decodeRange(what: string, offset: number): AppError {
  return new AppError(
    'DECODE_RANGE',
    `${what} is out of range at byte ${offset}; the batch is damaged or of another schema`,
  );
}

export function createAvroReader(bytes: Uint8Array, start = 0): AvroReader {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

  const reader: AvroReader = {
    position: start,
    boolean() {
      const value = bytes[reader.position++];
      if (value === undefined) throw decodeTruncated(bytes.length);
      if (value > 1) throw decodeRange('boolean', reader.position - 1);
      return value === 1;
    },
    long() {
      const first = reader.position;
      const low = bytes[reader.position++];
      if (low === undefined) throw decodeTruncated(bytes.length);
      let half = (low & 0x7f) >> 1;
      let byte = low;
      for (let scale = 64; byte >= 0x80; scale *= 128) {
        const next = bytes[reader.position++];
        if (next === undefined) throw decodeTruncated(bytes.length);
        if (reader.position - first > VARINT_BYTES_MAX) throw decodeRange('number', first);
        half += (next & 0x7f) * scale;
        byte = next;
      }
      if (half > Number.MAX_SAFE_INTEGER) throw decodeRange('number', first);
      return (low & 1) === 0 ? half : -half - 1;
    },
    string() {
      const length = reader.long();
      const from = reader.position;
      reader.skip(length);
      if (!isUtf8(bytes.subarray(from, reader.position))) throw decodeRange('UTF-8 of a text', from);
      return text.toString('utf8', from, from + length);
    },
    skip(count) {
      if (count < 0 || reader.position + count > bytes.length) throw decodeTruncated(bytes.length);
      reader.position += count;
    },
    skipLong() {
      const first = reader.position;
      while ((bytes[reader.position] ?? 0) >= 0x80) reader.position += 1;
      if (reader.position - first >= VARINT_BYTES_MAX) throw decodeRange('number', first);
      reader.skip(1);
    },
    end() {
      if (reader.position === bytes.length) return;
      throw new AppError(
        'DECODE_TRAILING',
        `${bytes.length - reader.position} bytes are left after the batch; it is damaged or of another schema`,
      );
    },
  };
  return reader;
}
