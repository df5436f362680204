/** Batches of one segment file, forwards or from the newest back; damage is passed over. */
import { readFileSync } from 'node:fs';
import { findSync, readBlock, readHeader, SYNC_BYTES } from '@tcptrail/schemas/container.ts';

export interface SpooledBatch {
  readonly datum: Uint8Array;
  /** Byte offset of its block. */
  readonly position: number;
}

/** Whole blocks at or after byte `from`. */
export function* batchesOf(file: string, from = 0): Generator<SpooledBatch> {
  const bytes = readFileSync(file);
  const header = headerOf(bytes);
  if (!header) return;
  let position = Math.max(from, header.end);
  while (position < bytes.length) {
    const block = blockAt(bytes, position, header.sync);
    if (block) yield { datum: block.datum, position };
    const next = block?.next ?? findSync(bytes, position, header.sync);
    if (next < 0) return;
    position = next;
  }
}

/** Whole blocks from the last to the first; a torn or damaged tail is passed over. */
export function* batchesBackwards(file: string): Generator<SpooledBatch> {
  const bytes = readFileSync(file);
  const header = headerOf(bytes);
  if (!header) return;
  // A block starts after a sync marker, the header's among them, or where that is damaged, after a block.
  let known = bytes.length;
  for (let end = bytes.length; end >= header.end; ) {
    const marker = bytes.lastIndexOf(header.sync, end - SYNC_BYTES);
    // In the header itself it may be what is damaged.
    const from = Math.max(marker + SYNC_BYTES, header.end);
    yield* blocksBetween(bytes, from, known, header.sync).reverse();
    known = from;
    end = from - 1;
  }
}

function blocksBetween(bytes: Uint8Array, from: number, to: number, sync: Uint8Array): SpooledBatch[] {
  const blocks: SpooledBatch[] = [];
  for (let position = from; position < to; ) {
    const block = blockAt(bytes, position, sync);
    if (!block) break;
    blocks.push({ datum: block.datum, position });
    position = block.next;
  }
  return blocks;
}

function headerOf(bytes: Uint8Array): ReturnType<typeof readHeader> {
  try {
    return readHeader(bytes);
  } catch {
    return undefined;
  }
}

function blockAt(
  bytes: Uint8Array,
  position: number,
  sync: Uint8Array,
): { datum: Uint8Array; next: number } | undefined {
  try {
    const block = readBlock(bytes, position, sync);
    return block.kind === 'block' ? block : undefined;
  } catch {
    return undefined;
  }
}
