/**
 * Appends blocks to segments: opens lazily, rotates by size and time, never rewrites. A block that did not go in whole is cut
 * off again, so that the next try starts clean.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fdatasync,
  fsyncSync,
  ftruncateSync,
  openSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { SYNC_BYTES, writeBlock, writeHeader } from '@tcptrail/schemas/container.ts';
import { formatSegmentName } from '@tcptrail/spool/segment-name.ts';
import { SEGMENT_MODE, type SpoolFolder } from './folder.ts';

/** Where a block ended up. */
export interface Written {
  readonly segment: string;
  /** Byte after the block. */
  readonly end: number;
  /** Of the block. */
  readonly bytes: number;
}

export interface SegmentWriter {
  /** Name of the segment being written, '' before the first block. */
  readonly current: string;
  /** Throws the system's error; nothing of the batch is then in the spool. */
  append(datum: Uint8Array): Written;
  /** Writes what the disk has not yet, without holding up the caller. */
  sync(onDone: (error: Error | null) => void): void;
  /** Goes on in a new segment, as somebody removed this one. False while a sync holds it. */
  leave(): boolean;
  /** Makes everything durable and closes. Throws the system's error. */
  stop(): void;
}

interface Open {
  readonly name: string;
  readonly fd: number;
  readonly marker: Uint8Array;
  readonly sinceMs: number;
  bytes: number;
  dirty: boolean;
}

export function createSegmentWriter(
  config: {
    readonly agentEpoch: number;
    readonly segmentBytes: number;
    /** A segment takes batches this long. */
    readonly segmentMs: number;
    readonly schema: string;
    readonly durable: boolean;
  },
  /** `nowMs`: monotonic. */
  deps: { readonly folder: SpoolFolder; readonly nowMs: () => number },
): SegmentWriter {
  const { folder, nowMs } = deps;
  let open: Open | undefined;
  let number = 0;
  let syncing = false;

  function create(): Open {
    const name = formatSegmentName({ agentEpoch: config.agentEpoch, number: number + 1 });
    const file = folder.fileOf(name);
    const marker = randomBytes(SYNC_BYTES);
    const header = writeHeader({ schema: config.schema, sync: marker });
    // Appending: after a block was cut off, the next write goes to the new end and leaves no hole.
    const fd = openSync(file, 'ax', SEGMENT_MODE);
    try {
      if (folder.gid !== undefined) fchownSync(fd, -1, folder.gid);
      fchmodSync(fd, SEGMENT_MODE);
      writeWhole(fd, header);
    } catch (error) {
      closeSync(fd);
      unlinkSync(file);
      throw error;
    }
    number += 1;
    return { name, fd, marker, sinceMs: nowMs(), bytes: header.length, dirty: true };
  }

  function close(segment: Open): void {
    open = undefined;
    try {
      if (config.durable) {
        fsyncSync(segment.fd);
        syncFolder(folder.path);
      }
    } finally {
      closeSync(segment.fd);
    }
  }

  const isFinished = ({ bytes, sinceMs }: Open): boolean =>
    bytes >= config.segmentBytes || nowMs() - sinceMs >= config.segmentMs;

  return {
    get current() {
      return open?.name ?? '';
    },
    append(datum) {
      // A running sync holds the descriptor: then the segment grows a little past its size.
      if (open && isFinished(open) && !syncing) close(open);
      open ??= create();
      const segment = open;
      const block = writeBlock(datum, segment.marker);
      try {
        writeWhole(segment.fd, block);
      } catch (error) {
        cutOff(segment);
        throw error;
      }
      segment.bytes += block.length;
      segment.dirty = true;
      return { segment: segment.name, end: segment.bytes, bytes: block.length };
    },
    sync(onDone) {
      if (!open?.dirty || syncing) return;
      const segment = open;
      segment.dirty = false;
      syncing = true;
      fdatasync(segment.fd, (error) => {
        syncing = false;
        if (error) segment.dirty = true;
        onDone(error);
      });
    },
    leave() {
      if (syncing) return false;
      if (open) closeSync(open.fd);
      open = undefined;
      return true;
    },
    stop() {
      if (open) close(open);
    },
  };

  function cutOff(segment: Open): void {
    try {
      ftruncateSync(segment.fd, segment.bytes);
    } catch {
      // The torn block stays as the end of this segment, which a reader knows to pass; go on in the next.
      open = undefined;
      closeSync(segment.fd);
    }
  }
}

function writeWhole(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done);
}

/** A new file survives power loss only when its folder was synced too. */
function syncFolder(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
