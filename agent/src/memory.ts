/**
 * Memory that is not JavaScript's, by its address.
 *
 * ref-napi makes every address a buffer of a gigabyte, and V8 collects garbage each time it hears of another: once for
 * each function and mapping, that was half of what a start of the agent costs. So one such buffer serves all that lies in it.
 */
import ref from 'ref-napi';

/** A window is as long as ref-napi makes them; the next begins in the middle of it. */
const WINDOW_BYTES = 0x3fff_ffff;
const STEP_BYTES = 0x2000_0000;
/** Nothing is mapped below, and 0 is no address. */
const LOWEST = 0x1000;

const windows = new Map<number, ArrayBuffer>();

/** A view of `bytes` at `address`, which is to be mapped for as long as it is read. */
export function memoryAt(address: number, bytes: number): Buffer {
  const begin = Math.max(LOWEST, address - (address % STEP_BYTES));
  const offset = address - begin;
  if (offset + bytes > WINDOW_BYTES) return wrap(address, bytes);
  const memory = windows.get(begin) ?? (wrap(begin, WINDOW_BYTES).buffer as ArrayBuffer);
  windows.set(begin, memory);
  return Buffer.from(memory, offset, bytes);
}

function wrap(address: number, bytes: number): Buffer {
  const pointer = Buffer.alloc(8);
  pointer.writeBigUInt64LE(BigInt(address));
  return ref.readPointer(pointer, 0, bytes);
}
