/**
 * Transport of one host: follows the agent's spool folder.
 *
 * Reads segments from cursor/<reader>.json on, hands ranges of one agent run to the handler, and moves the cursor
 * after each. Never writes into segments: damaged bytes are copied to set-aside/ and passed over.
 */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { fingerprintIn, frameAs } from '@tcptrail/schemas/single-object.ts';
import { createCursorFile, type Place } from '@tcptrail/spool/cursor.ts';
import { type ChainRead, openSegmentChain, type SegmentChain } from '@tcptrail/spool/segment-chain.ts';
import { createSetAside } from '@tcptrail/spool/set-aside.ts';
import type { Logger } from 'pino';
import { z } from 'zod';
import { failure } from '../errors.ts';
import type { Metrics } from '../metrics.ts';
import { batchesIn, type Damage, spoolOrigin } from './damage.ts';
import { glance } from './glance.ts';
import { createReaderLock } from './reader-lock.ts';
import { toNewest } from './schema-versions.ts';
import type { BatchIdentity, Fill, Message, ParkedBatch, RangeHandler, Transport } from './transport.ts';

const CURSOR = z.object({
  segment: z.string(),
  position: z.number().int().min(0),
  /** The batch before the position: tells the numbers of damaged ones behind it. */
  last: z.object({ hostId: z.string(), agentEpoch: z.number(), batchSeq: z.number() }).optional(),
});
type Cursor = z.infer<typeof CURSOR>;

export interface SpoolConfig {
  readonly path: string;
  readonly reader: string;
  readonly pollMs: number;
  /** End when everything that is there was handled. */
  readonly isOnce: boolean;
}

export interface SpoolDeps {
  readonly fill: Fill;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** A message in hand and where it stands. */
interface Held extends Message {
  readonly place: string;
  readonly rows: number;
  /** Why there is no datum of the newest version. */
  readonly refusal?: Pick<ParkedBatch, 'reason' | 'detail'>;
  /** As it would stand on a topic. */
  framed(): Buffer;
}

type BatchRead = Extract<ChainRead, { kind: 'batch' }>;

export function createSpoolTransport(config: SpoolConfig, deps: SpoolDeps): Transport {
  const { fill, log, metrics } = deps;
  const cursorFile = createCursorFile(
    { spool: config.path, reader: config.reader, parse: (value) => CURSOR.parse(value) },
    {
      // Without it reading begins at the oldest segment: stored batches are recognised and not doubled.
      onDamaged(keptAs) {
        metrics.cursorLosses.inc();
        log.error(
          { file: keptAs },
          `the cursor was damaged and is kept as ${keptAs}; going on at the oldest segment, stored batches are recognised`,
        );
      },
    },
  );
  const setAside = createSetAside(config.path);
  const lock = createReaderLock(config.path);
  const ending = new AbortController();
  const done = Promise.withResolvers<void>();
  done.promise.catch(() => {});
  let started = false;

  async function follow(handler: RangeHandler): Promise<void> {
    await folderThere();
    if (ending.signal.aborted) return;
    const saved = cursorFile.load();
    const chain = openSegmentChain(config.path, saved);
    if (chain.isCursorLost) {
      metrics.cursorLosses.inc();
      log.warn(
        { segment: saved?.segment },
        `the cursor stands at ${saved?.position} of segment ${saved?.segment}, which is gone or shorter; going on at the oldest bytes there are, "completeness" names what is missing`,
      );
    }
    try {
      await pump(chain, handler, saved);
    } finally {
      chain.close();
    }
  }

  async function folderThere(): Promise<void> {
    let isTold = false;
    while (!existsSync(config.path) && !ending.signal.aborted) {
      const text = `spool folder ${config.path} does not exist; start the agent or set spool.path`;
      if (config.isOnce) throw failure('CONSUMER_SPOOL_MISSING', text);
      if (!isTold) log.warn(`${text}; waiting for it`);
      isTold = true;
      await pause(config.pollMs);
    }
  }

  async function pump(chain: SegmentChain, handler: RangeHandler, saved: Cursor | undefined): Promise<void> {
    let last: BatchIdentity | undefined = saved?.last;
    let written = saved ? `${saved.segment} ${saved.position}` : '';
    let damages: Damage[] = [];
    let parked: ParkedBatch[] = [];
    let held: Held[] = [];
    /** Behind the last message in hand. */
    let behind: Place | undefined;

    function commit(place: Place | undefined): void {
      if (!place || `${place.segment} ${place.position}` === written) return;
      cursorFile.save({ ...place, ...(last ? { last } : {}) });
      written = `${place.segment} ${place.position}`;
    }

    async function flush(): Promise<void> {
      const [first] = held;
      if (!first) return;
      const of = { origin: spoolOrigin(first.identity), originPartition: 0 };
      const messages = held.filter(({ refusal }) => !refusal);
      const unread = held.flatMap(({ refusal, offset, identity }): ParkedBatch[] =>
        refusal ? [{ ...of, originOffset: offset, identity, ...refusal }] : [],
      );
      const refused = await handler({ ...of, messages, parked: [...parked, ...unread] });
      for (const batch of [...unread, ...refused]) keepMessage(held, batch);
      last = held.at(-1)?.identity;
      commit(behind);
      held = [];
      parked = [];
      fill.clear();
    }

    async function take(read: BatchRead): Promise<void> {
      const before = held.at(-1)?.identity ?? last;
      const next = heldOf(read, before, endOf(chain, read.segment));
      const { identity } = next;
      const item = { rows: next.rows, bytes: next.datum.length };
      const isOther = held[0] !== undefined && spoolOrigin(held[0].identity) !== spoolOrigin(identity);
      if (isOther || fill.isFullFor(item)) await flush();
      if (damages.length > 0) parked.push(...batchesIn(damages, before, identity));
      damages = [];
      held.push(next);
      behind = { segment: read.segment, position: endOf(chain, read.segment) };
      fill.add(item, performance.now());
    }

    while (!ending.signal.aborted) {
      const isDue = fill.waitMs(performance.now()) === 0;
      const read: ChainRead = isDue ? { kind: 'nothing' } : await nextOf(chain, flush);
      if (read.kind === 'batch') await take(read);
      else if (read.kind === 'damage') damages.push(keepDamage(read));
      else if (isDue || (config.isOnce && held.length > 0)) await flush();
      else {
        metrics.spoolBytes.set(chain.bytesLeft());
        // Damage at the end is passed only with the batch behind it, which tells its numbers.
        if (held.length === 0 && damages.length === 0) commit(chain.place);
        if (config.isOnce) return;
        await pause(Math.min(config.pollMs, fill.waitMs(performance.now())));
      }
    }
  }

  function keepDamage(read: Extract<ChainRead, { kind: 'damage' }>): Damage {
    const name = `${basename(read.segment, '.avro')}-${read.from}.damaged`;
    const to = read.from + read.bytes.length;
    const file = setAside.put(name, read.bytes, {
      segment: read.segment,
      from: read.from,
      to,
      why: read.why,
    });
    metrics.setAsideFiles.inc();
    metrics.damagedBytes.inc(read.bytes.length);
    log.error(
      { segment: read.segment, from: read.from, to, file },
      `${read.segment}: ${read.why}; ${read.bytes.length} bytes set aside as ${file}, going on behind them`,
    );
    if (read.reason === 'SEGMENT_TORN') metrics.tornTails.inc();
    return { agentEpoch: read.agentEpoch, reason: read.reason, detail: file };
  }

  function keepMessage(held: readonly Held[], batch: ParkedBatch): void {
    const message = held.find(({ offset }) => offset === batch.originOffset);
    if (!message) return;
    const name = `${message.place}.parked`;
    const file = setAside.put(name, message.framed(), { ...batch });
    metrics.setAsideFiles.inc();
    log.error(
      { origin: batch.origin, batch_seq: batch.identity.batchSeq, file },
      `batch ${batch.identity.batchSeq} cannot be stored (${batch.detail}); set aside as ${file}`,
    );
  }

  const pause = (ms: number): Promise<void> =>
    sleep(ms, undefined, { signal: ending.signal }).catch(() => undefined);

  return {
    done: done.promise,
    async start(handler) {
      await lock.acquire();
      started = true;
      follow(handler).then(done.resolve, done.reject);
    },
    async stop() {
      ending.abort();
      if (started) await done.promise.catch(() => undefined);
      await lock.release();
    },
  };
}

/** What is in hand is stored before an unreadable segment ends the reading. */
async function nextOf(chain: SegmentChain, flush: () => Promise<void>): Promise<ChainRead> {
  try {
    return chain.next();
  } catch (error) {
    await flush();
    throw error;
  }
}

/** `end`: of its block. */
function heldOf(read: BatchRead, before: BatchIdentity | undefined, end: number): Held {
  const fingerprint = fingerprintIn(read.schema);
  const framed = (): Buffer => frameAs(fingerprint, read.datum);
  const place = `${basename(read.segment, '.avro')}-${end - read.bytes}`;
  const unnamed = following(before, read.agentEpoch);
  try {
    const datum = toNewest(fingerprint, read.datum);
    const { identity = unnamed, rows = 0 } = glance(datum) ?? {};
    return { offset: identity.batchSeq, datum, identity, place, rows, framed };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const refusal = { reason: error.code, detail: error.message };
    const { datum } = read;
    return { offset: unnamed.batchSeq, datum, identity: unnamed, place, rows: 0, refusal, framed };
  }
}

/** A batch whose head does not decode is the one after the batch before it. */
function following(before: BatchIdentity | undefined, agentEpoch: number): BatchIdentity {
  const isSameRun = before?.agentEpoch === agentEpoch;
  return { hostId: before?.hostId ?? '', agentEpoch, batchSeq: isSameRun ? before.batchSeq + 1 : 1 };
}

function endOf(chain: SegmentChain, segment: string): number {
  return chain.place?.segment === segment ? chain.place.position : 0;
}
