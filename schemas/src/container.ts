/**
 * Avro object container files as spool segments: one batch a block, codec zstandard with frame checksum.
 *
 *   file   = 'O' 'b' 'j' 0x01  map{avro.schema, avro.codec}  sync[16]  block*
 *   block  = long 1  long size  zstd(datum)[size]  sync[16]
 *
 * Pure: bytes in, bytes out. Any Avro tool opens the files.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { AppError } from './app-error.ts';
import { createAvroReader } from './avro-reader.ts';
import { createAvroWriter } from './avro-writer.ts';

export const SYNC_BYTES = 16;
/** A block beyond this is damage, not data: batches are split long before. */
export const BLOCK_BYTES_MAX = 64 * 1024 * 1024;

const MAGIC = Buffer.from('Obj\x01', 'latin1');

export interface ContainerHeader {
  readonly schema: string;
  readonly codec: string;
  readonly sync: Uint8Array;
  /** Byte offset of the first block. */
  readonly end: number;
}

export type Block =
  | {
      readonly kind: 'block';
      readonly datum: Uint8Array;
      readonly next: number;
      /** False: the sync marker behind the block is damaged; its checksum says that the block is not. */
      readonly isMarked: boolean;
    }
  /** The bytes end before the block does: still being written, or torn. */
  | { readonly kind: 'incomplete' };

/** Bytes of a file's header. `sync` is 16 random bytes. */
export function writeHeader(options: { schema: string; sync: Uint8Array }): Uint8Array {
  const writer = createAvroWriter(options.schema.length + 256);
  writer.raw(MAGIC);
  writer.long(2);
  writer.string('avro.schema');
  writer.string(options.schema);
  writer.string('avro.codec');
  writer.string('zstandard');
  writer.long(0);
  writer.raw(options.sync);
  return writer.take();
}

/** Bytes of one block holding `datum`. */
export function writeBlock(datum: Uint8Array, sync: Uint8Array): Uint8Array {
  const compressed = zstdCompressSync(datum, {
    params: { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 },
  });
  const writer = createAvroWriter(compressed.length + 64);
  writer.long(1);
  writer.long(compressed.length);
  writer.raw(compressed);
  writer.raw(sync);
  return writer.take();
}

/** `undefined` while the header is not whole. Throws SEGMENT_CORRUPT when the bytes are no such file. */
export function readHeader(bytes: Uint8Array): ContainerHeader | undefined {
  const magic = Buffer.from(bytes.subarray(0, MAGIC.length));
  if (!MAGIC.subarray(0, magic.length).equals(magic))
    throw corrupt('it does not start with the Avro magic', 0);
  if (magic.length < MAGIC.length) return undefined;
  const reader = createAvroReader(bytes, MAGIC.length);
  const meta: Record<string, string> = {};
  try {
    for (let count = reader.long(); count !== 0; count = reader.long()) {
      if (count < 0) reader.long();
      for (let index = 0; index < Math.abs(count); index++) meta[reader.string()] = reader.string();
    }
    reader.skip(SYNC_BYTES);
  } catch (error) {
    if (error instanceof AppError && error.code === 'DECODE_TRUNCATED') return undefined;
    throw corrupt('its header does not decode', reader.position, error);
  }
  const codec = meta['avro.codec'] ?? 'null';
  if (codec !== 'zstandard') throw corrupt(`its codec is ${codec}, not zstandard`, MAGIC.length);
  return {
    schema: meta['avro.schema'] ?? '',
    codec,
    sync: new Uint8Array(bytes.subarray(reader.position - SYNC_BYTES, reader.position)),
    end: reader.position,
  };
}

/** The block at `position`. Throws SEGMENT_CORRUPT when it is whole but damaged. */
export function readBlock(bytes: Uint8Array, position: number, sync: Uint8Array): Block {
  const reader = createAvroReader(bytes, position);
  let size = 0;
  try {
    const count = reader.long();
    size = reader.long();
    if (count !== 1) throw corrupt(`a block holds ${count} batches, not 1`, position);
    if (size < 0 || size > BLOCK_BYTES_MAX) throw corrupt(`a block of ${size} bytes`, position);
    reader.skip(size + SYNC_BYTES);
  } catch (error) {
    if (error instanceof AppError && error.code === 'DECODE_TRUNCATED') {
      // A torn tail has no sync marker behind it: one that follows means that the size is what was damaged.
      if (findSync(bytes, position, sync) < 0) return { kind: 'incomplete' };
    }
    if (error instanceof AppError && error.code === 'SEGMENT_CORRUPT') throw error;
    throw corrupt('a block has no readable size', position, error);
  }
  const from = reader.position - size - SYNC_BYTES;
  const end = reader.position - SYNC_BYTES;
  const isMarked = Buffer.from(sync).equals(bytes.subarray(end, reader.position));
  try {
    const datum = zstdDecompressSync(bytes.subarray(from, end));
    return { kind: 'block', datum, next: reader.position, isMarked };
  } catch (error) {
    const what = isMarked
      ? 'a block does not decompress'
      : 'neither a block nor the sync marker after it is whole';
    throw corrupt(what, position, error);
  }
}

/** Position after the next sync marker at or after `from`, where a reader can go on; -1 when there is none. */
export function findSync(bytes: Uint8Array, from: number, sync: Uint8Array): number {
  const at = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf(sync, from);
  return at < 0 ? -1 : at + SYNC_BYTES;
}

function corrupt(what: string, position: number, cause?: unknown): AppError {
  return new AppError('SEGMENT_CORRUPT', `segment is damaged at byte ${position}: ${what}`, { cause });
}
