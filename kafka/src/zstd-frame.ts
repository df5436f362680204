/**
 * How much a zstd frame holds, by its header (RFC 8878, 3.1.1.1): magic 4 · descriptor 1 · [window 1] ·
 * [dictionary id] · [content size]. Pure.
 */

const MAGIC = 0xfd2fb528;
const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const;
/** What a frame that does not tell its size may hold for each of its bytes; it may be wrong. */
const RATIO = 6;
const PLAIN_BYTES_MIN = 64 * 1024;
/** Several times what an agent sends at once; nobody is made to allocate more. */
export const PLAIN_BYTES_MAX = 64 * 1024 * 1024;

/** Bytes when decompressed: a hint, from 64 KiB to 64 MiB. */
export function plainBytesOf(frame: Buffer): number {
  const told = contentSize(frame) ?? RATIO * frame.length;
  return Math.min(PLAIN_BYTES_MAX, Math.max(PLAIN_BYTES_MIN, told));
}

function contentSize(frame: Buffer): number | undefined {
  if (frame.length < 5 || frame.readUInt32LE(0) !== MAGIC) return undefined;
  const descriptor = frame.readUInt8(4);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const at = 5 + (isSingleSegment ? 0 : 1) + (DICTIONARY_ID_BYTES[descriptor & 3] ?? 0);
  const width = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  if (width === 0 || frame.length < at + width) return undefined;
  if (width === 8) return Number(frame.readBigUInt64LE(at));
  return frame.readUIntLE(at, width) + (width === 2 ? 256 : 0);
}
