/** A position in a piece of Avro binary. Every read is bounded: damage ends in an AppError, never in garbage. */
import { AppError } from './app-error.ts';

export interface AvroReader {
  /** Byte offset of the next value. */
  position: number;
  boolean(): boolean;
  /** Throws DECODE_RANGE beyond ±2^53. */
  long(): number;
  string(): string;
  skip(bytes: number): void;
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
      let zigzag = 0;
      let scale = 1;
      for (let index = 0; index < 10; index++) {
        const byte = bytes[reader.position++];
        if (byte === undefined) throw decodeTruncated(bytes.length);
        zigzag += (byte & 0x7f) * scale;
        if (byte < 0x80) {
          if (zigzag > Number.MAX_SAFE_INTEGER) throw decodeRange('number', first);
          return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
        }
        scale *= 128;
      }
      throw decodeRange('number', first);
    },
    string() {
      const length = reader.long();
      const from = reader.position;
      reader.skip(length);
      return text.toString('utf8', from, from + length);
    },
    skip(count) {
      if (count < 0 || reader.position + count > bytes.length) throw decodeTruncated(bytes.length);
      reader.position += count;
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
