/**
 * The write-ahead spool. A batch handed over is written at once; when the disk refuses, batches wait in memory up
 * to a bound and are tried again in order, and `ready` tells the caller to leave the rest in the rings.
 */
import { join } from 'node:path';
import { type BatchEnvelope, type CpuAccount, decodeEnvelope } from '@tcptrail/schemas/batch.ts';
import type { Ages } from '@tcptrail/spool/ages.ts';
import { comparePlaces, type Place } from '@tcptrail/spool/cursor.ts';
import { parseSegmentName } from '@tcptrail/spool/segment-name.ts';
import { agentError, reasonOf } from '../errors.ts';
import type { RowCounts } from './dropped-rows.ts';
import type { SpoolFolder } from './folder.ts';
import { createLag } from './lag.ts';
import { createRetention, type Dropped } from './retention.ts';
import { batchesBackwards } from './segment-reader.ts';
import { createSegmentWriter, type SegmentWriter } from './segment-writer.ts';
import { createStateFile, type StateFile } from './state.ts';

export interface SpoolConfig {
  readonly segmentBytes: number;
  readonly bytesMax: number;
  /** 0 = none is too old. */
  readonly ageMaxMs: number;
  /** 0 = never. */
  readonly fsyncMs: number;
  /** Avro schema for the segments' headers. */
  readonly schema: string;
  readonly pendingBytesMax?: number;
}

export interface SpoolDeps {
  readonly folder: SpoolFolder;
  /** Monotonic, ms. */
  readonly nowMs: () => number;
  readonly ages: Ages;
  readonly onWriteFailed: (failure: { readonly reason: string; readonly pending: number }) => void;
  readonly onDropped: (dropped: Dropped) => void;
  /** A batch is in the spool, and takes so many bytes there. */
  readonly onWritten?: (bytes: number) => void;
}

export interface SpoolHealth {
  /** Bytes no reader has released. */
  readonly bytes: number;
  readonly segments: number;
  /** Age of the oldest batch that waits; of one that an earlier run left, at most a segment too old. */
  readonly lag_us: number;
  /** Batches waiting in memory for the disk. */
  readonly pending: number;
}

export type SpoolTail = Pick<BatchEnvelope, 'cpus' | 'ring_positions'>;

export interface Spool {
  /** Throws AGENT_SPOOL_UNUSABLE. */
  start(): void;
  /** A start of an agent later than any the spool has seen, µs: `nowUs`, unless the clock went back. */
  epochAfter(nowUs: number): number;
  /** Before the first `append`. */
  open(agentEpoch: number): void;
  /** Takes the batch; `closedUs` is when it was closed. `onSpooled` is called once, when it is in the spool. */
  append(datum: Uint8Array, closedUs: number, onSpooled?: () => void): void;
  /** False while too much waits for the disk. */
  readonly ready: boolean;
  /** Why the disk refused the last write, '' when it did not. */
  readonly failed: string;
  /** Tries again what waits, at most once a second; deletes what is read or too old; syncs when due. */
  tick(): void;
  health(nowUs: number): SpoolHealth;
  /** Rows dropped unread, by kernel epoch and CPU; durable. */
  readonly dropped: Readonly<RowCounts>;
  /** Final accounts of ended kernel epochs. */
  readonly ended: StateFile['value']['ended'];
  /** False when the disk refused. */
  noteEnded(kernelEpoch: number, cpus: readonly CpuAccount[]): boolean;
  /** What the last spooled batch of a kernel epoch says; no positions where only its final account is left. */
  tail(kernelEpoch: number): SpoolTail | undefined;
  /** Writes what waits and makes it durable. Throws AGENT_SPOOL_UNSPOOLED when the disk still refuses. */
  stop(): void;
}

const PENDING_BYTES_MAX = 32 * 1024 * 1024;
const RETRY_MS = 1_000;
const RELEASE_MS = 5_000;
/** However young the spool must be kept, its segments are not many. */
const SEGMENT_MS_MIN = 60_000;

export function createSpool(config: SpoolConfig, deps: SpoolDeps): Spool {
  const { folder } = deps;
  const pendingBytesMax = config.pendingBytesMax ?? PENDING_BYTES_MAX;
  /** Small spools still hold several segments, so that one can go at a time. */
  const segmentBytes = Math.min(config.segmentBytes, Math.floor(config.bytesMax / 4));
  const segmentMs =
    config.ageMaxMs > 0 ? Math.max(SEGMENT_MS_MIN, config.ageMaxMs / 4) : Number.POSITIVE_INFINITY;
  const state = createStateFile(join(folder.path, 'state.json'));
  const retention = createRetention(config, { folder, state, ages: deps.ages });
  const lag = createLag();
  const pending: {
    readonly datum: Uint8Array;
    readonly closedUs: number;
    readonly onSpooled: (() => void) | undefined;
  }[] = [];
  let pendingBytes = 0;
  let writer: SegmentWriter | undefined;
  let failed = '';
  let retryAtMs = 0;
  let releaseAtMs = 0;
  let syncAtMs = 0;
  /** Bytes of the spool but for the segment being written. */
  let closedBytes = 0;
  let current = '';

  function fail(error: unknown): void {
    failed = reasonOf(error);
    retryAtMs = deps.nowMs() + RETRY_MS;
    deps.onWriteFailed({ reason: failed, pending: pending.length });
  }

  function writeNext(to: SegmentWriter): void {
    const batch = pending[0];
    if (!batch) return;
    const written = to.append(batch.datum);
    pending.shift();
    pendingBytes -= batch.datum.length;
    batch.onSpooled?.();
    deps.onWritten?.(written.bytes);
    lag.spooled({ at: { segment: written.segment, position: written.end }, ts: batch.closedUs });
    if (written.segment !== current) {
      current = written.segment;
      closedBytes = retention.release(current) - written.end;
    }
    if (closedBytes + written.end > config.bytesMax) makeRoom();
  }

  function makeRoom(): void {
    for (const dropped of retention.makeRoom(current)) {
      closedBytes -= dropped.bytes;
      deps.onDropped(dropped);
    }
  }

  function flush(): void {
    if (!writer) return;
    try {
      while (pending.length > 0) writeNext(writer);
      failed = '';
    } catch (error) {
      fail(error);
    }
  }

  return {
    start() {
      folder.make();
      state.load();
      try {
        retention.start();
      } catch (error) {
        throw agentError('AGENT_SPOOL_UNUSABLE', [folder.path, reasonOf(error)], { cause: error });
      }
    },
    epochAfter(nowUs) {
      const newest = folder.segments().at(-1);
      return Math.max(nowUs, newest ? (parseSegmentName(newest.name)?.agentEpoch ?? 0) + 1 : 0);
    },
    open(agentEpoch) {
      for (const { name, bytes } of folder.segments())
        lag.spooled({ at: { segment: name, position: bytes }, ts: folder.sinceUs(name) });
      const durable = config.fsyncMs > 0;
      writer = createSegmentWriter(
        { agentEpoch, segmentBytes, segmentMs, schema: config.schema, durable },
        { folder, nowMs: deps.nowMs },
      );
    },
    append(datum, closedUs, onSpooled) {
      pending.push({ datum, closedUs, onSpooled });
      pendingBytes += datum.length;
      if (failed === '' || deps.nowMs() >= retryAtMs) flush();
    },
    get ready() {
      return pendingBytes < pendingBytesMax;
    },
    get failed() {
      return failed;
    },
    tick() {
      const nowMs = deps.nowMs();
      if (pending.length > 0 && nowMs >= retryAtMs) flush();
      if (nowMs >= releaseAtMs && current !== '') {
        releaseAtMs = nowMs + RELEASE_MS;
        tidy();
      }
      if (config.fsyncMs > 0 && nowMs >= syncAtMs) {
        syncAtMs = nowMs + config.fsyncMs;
        writer?.sync((error) => error && fail(error));
      }
    },
    health(nowUs) {
      const slowest = folder.cursors()[0];
      const waiting = folder.segments().filter((segment) => !slowest || segment.name >= slowest.segment);
      const bytes = waiting.reduce((sum, segment) => sum + segment.bytes, 0);
      const oldest: Place = { segment: waiting[0]?.name ?? '', position: 0 };
      // A segment that was dropped no longer waits.
      const from = slowest && comparePlaces(slowest, oldest) > 0 ? slowest : oldest;
      const inSegment = slowest && waiting[0]?.name === slowest.segment ? slowest.position : 0;
      return {
        bytes: Math.max(0, bytes - inSegment),
        segments: waiting.length,
        lag_us: Math.max(lag.us(from, nowUs), nowUs - (pending[0]?.closedUs ?? nowUs)),
        pending: pending.length,
      };
    },
    get dropped() {
      return state.value.dropped;
    },
    get ended() {
      return state.value.ended;
    },
    noteEnded(kernelEpoch, cpus) {
      try {
        state.change({ ended: { ...state.value.ended, [kernelEpoch]: cpus } });
        return true;
      } catch (error) {
        fail(error);
        return false;
      }
    },
    tail(kernelEpoch) {
      const cpus = state.value.ended[kernelEpoch];
      return findTail(folder, kernelEpoch) ?? (cpus && { cpus, ring_positions: [] });
    },
    stop() {
      flush();
      try {
        writer?.stop();
      } catch (error) {
        fail(error);
      }
      if (pending.length > 0)
        throw agentError('AGENT_SPOOL_UNSPOOLED', [String(pending.length), folder.path, failed]);
    },
  };

  function tidy(): void {
    try {
      const segments = folder.segments();
      const finished = segments.filter(({ name }) => name < current).map(({ name }) => name);
      deps.ages.keep(finished);
      const written = segments.find((segment) => segment.name === current);
      // What is written to a file without a name no reader ever sees.
      if (!written && writer?.current === current && writer.leave())
        fail(new Error(`somebody removed ${current}`));
      closedBytes = retention.release(current) - (written?.bytes ?? 0);
      makeRoom();
    } catch (error) {
      fail(error);
    }
  }
}

function findTail(folder: SpoolFolder, kernelEpoch: number): SpoolTail | undefined {
  for (const segment of folder.segments().toReversed()) {
    for (const { datum } of batchesBackwards(folder.fileOf(segment.name))) {
      const envelope = envelopeOf(datum);
      if (envelope?.kernel_epoch === kernelEpoch) return envelope;
    }
  }
  return undefined;
}

function envelopeOf(datum: Uint8Array): ReturnType<typeof decodeEnvelope>['envelope'] | undefined {
  try {
    return decodeEnvelope(datum).envelope;
  } catch {
    return undefined;
  }
}
