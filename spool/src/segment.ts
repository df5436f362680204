/** One spool segment, read as it grows. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import {
  type ContainerHeader,
  findSync,
  readBlock,
  readHeader,
  SYNC_BYTES,
} from '@tcptrail/schemas/container.ts';

const READ_BYTES_MIN = 1024 * 1024;

export type SegmentRead =
  | {
      readonly kind: 'batch';
      readonly datum: Uint8Array;
      /** Of the datum, as the header has it; '' when that is damaged. */
      readonly schema: string;
      readonly bytes: number;
      /** False: the marker behind it is damaged, which costs no reader anything. */
      readonly isMarked: boolean;
    }
  /** Bytes that are no block; the reader stands behind them. SEGMENT_TORN: the agent did not finish them. */
  | {
      readonly kind: 'damage';
      readonly reason: 'SEGMENT_CORRUPT' | 'SEGMENT_TORN';
      readonly from: number;
      readonly bytes: Uint8Array;
      readonly why: string;
    }
  /** Nothing more for now. */
  | { readonly kind: 'end' };

export interface Segment {
  readonly name: string;
  /** Position behind the last thing read. */
  readonly position: number;
  readonly size: number;
  /** `isComplete`: a later segment exists, so nothing will be added to this one. */
  read(isComplete: boolean): SegmentRead;
  close(): void;
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

  function damage(
    bytes: Buffer,
    to: number,
    { why, reason = 'SEGMENT_CORRUPT' }: { why: string; reason?: 'SEGMENT_CORRUPT' | 'SEGMENT_TORN' },
  ): SegmentRead {
    const from = position;
    position = to;
    return { kind: 'damage', reason, from, bytes: Buffer.from(bytes.subarray(from, to)), why };
  }

  /** Without a header the last bytes of a finished segment still tell its sync marker. */
  function salvage(bytes: Buffer, why: string): SegmentRead {
    const sync = bytes.subarray(-SYNC_BYTES);
    const first = findSync(bytes, position, sync);
    header = { schema: '', codec: 'zstandard', sync: Uint8Array.from(sync), end: first };
    return damage(bytes, first, { why });
  }

  function torn(bytes: Buffer, isComplete: boolean): SegmentRead {
    if (!isComplete) return { kind: 'end' };
    const why = `it ends inside a block of ${bytes.length - position} bytes that its agent did not finish`;
    return damage(bytes, bytes.length, { why, reason: 'SEGMENT_TORN' });
  }

  function read(isComplete: boolean): SegmentRead {
    const bytes = load();
    if (position > bytes.length) position = bytes.length;
    if (position === bytes.length) return { kind: 'end' };
    try {
      header ??= readHeader(bytes);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return isComplete ? salvage(bytes, error.message) : { kind: 'end' };
    }
    if (!header) return isComplete ? salvage(bytes, 'its header is not whole') : { kind: 'end' };
    position = Math.max(position, header.end);
    if (position === bytes.length) return { kind: 'end' };
    try {
      const block = readBlock(bytes, position, header.sync);
      if (block.kind === 'incomplete') return torn(bytes, isComplete);
      const length = block.next - position;
      position = block.next;
      const { datum, isMarked } = block;
      return { kind: 'batch', datum, schema: header.schema, bytes: length, isMarked };
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      const next = findSync(bytes, position, header.sync);
      if (next > 0) return damage(bytes, next, { why: error.message });
      return isComplete ? damage(bytes, bytes.length, { why: error.message }) : { kind: 'end' };
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
