/** One spool segment, read as it grows. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { type ContainerHeader, findSync, readBlock, readHeader } from '@tcptrail/schemas/container.ts';

const NAME = /^(\d{16})-(\d{8})\.avro$/;
const READ_BYTES_MIN = 1024 * 1024;

export type SegmentRead =
  | { readonly kind: 'batch'; readonly datum: Uint8Array; readonly bytes: number }
  /** Bytes that are no block; the reader stands behind them. */
  | { readonly kind: 'damage'; readonly from: number; readonly bytes: Uint8Array; readonly why: string }
  /** Nothing more for now. `torn`: bytes of an unfinished block follow. */
  | { readonly kind: 'end'; readonly torn: number };

export interface Segment {
  readonly name: string;
  /** Position behind the last thing read. */
  readonly position: number;
  readonly size: number;
  /** `isLast`: a later segment exists, so nothing will be added to this one. */
  read(isComplete: boolean): SegmentRead;
  close(): void;
}

export function isSegment(name: string): boolean {
  return NAME.test(name);
}

/** Start of the agent that wrote it, µs. */
export function agentEpochOf(name: string): number {
  return Number(NAME.exec(name)?.[1] ?? 0);
}

export function openSegment(folder: string, name: string, start: number): Segment {
  const file = openSync(`${folder}/${name}`, 'r');
  let buffer = Buffer.alloc(0);
  let size = 0;
  let position = start;
  let header: ContainerHeader | undefined;

  function load(): Buffer {
    const end = fstatSync(file).size;
    if (end > buffer.length) {
      const larger = Buffer.alloc(Math.max(READ_BYTES_MIN, end, buffer.length * 2));
      buffer.copy(larger, 0, 0, size);
      buffer = larger;
    }
    while (size < end) {
      const got = readSync(file, buffer, size, end - size, size);
      if (got === 0) break;
      size += got;
    }
    return buffer.subarray(0, size);
  }

  function damage(bytes: Buffer, to: number, error: AppError): SegmentRead {
    const from = position;
    position = to;
    return { kind: 'damage', from, bytes: Buffer.from(bytes.subarray(from, to)), why: error.message };
  }

  function read(isComplete: boolean): SegmentRead {
    const bytes = load();
    if (position > bytes.length) position = bytes.length;
    try {
      header ??= readHeader(bytes);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return position < bytes.length ? damage(bytes, bytes.length, error) : { kind: 'end', torn: 0 };
    }
    if (!header) return { kind: 'end', torn: bytes.length };
    position = Math.max(position, header.end);
    if (position === bytes.length) return { kind: 'end', torn: 0 };
    try {
      const block = readBlock(bytes, position, header.sync);
      if (block.kind === 'incomplete') return { kind: 'end', torn: bytes.length - position };
      const length = block.next - position;
      position = block.next;
      return { kind: 'batch', datum: block.datum, bytes: length };
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      const next = findSync(bytes, position, header.sync);
      if (next > 0) return damage(bytes, next, error);
      return isComplete ? damage(bytes, bytes.length, error) : { kind: 'end', torn: bytes.length - position };
    }
  }

  return {
    name,
    get position() {
      return position;
    },
    get size() {
      return fstatSync(file).size;
    },
    read,
    close: () => closeSync(file),
  };
}
