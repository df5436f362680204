/** Stores ranges: decodes, inserts (`inserter.ts`), parks what cannot be stored, and waits while ClickHouse is away. */
import { AppError } from '@tcptrail/schemas/app-error.ts';
import type { Logger } from 'pino';
import { failure } from '../errors.ts';
import type { Metrics } from '../metrics.ts';
import { createBreaker } from './breaker.ts';
import type { ClickHouse } from './clickhouse.ts';
import { misfitOf } from './days.ts';
import { createInserter, type Work } from './inserter.ts';
import { insertParked } from './parked.ts';
import type { Parked, StoreDecoded, StoreDecoder, StoreMessage, StoreRange } from './range.ts';
import { withdraw } from './withdraw.ts';

export interface StoreConfig {
  /** Give up after so many failures in a row; Infinity = go on until stopped. */
  readonly triesMax: number;
}

export interface StoreDeps {
  readonly clickhouse: ClickHouse;
  /** Made for each range that is stored at the same time as others; they are used again. */
  readonly createDecoder: () => StoreDecoder;
  readonly log: Logger;
  readonly metrics: Metrics;
}

export interface Store {
  /**
   * Resolves with the messages that were parked. Rejects with STORE_LEDGER when the table is not what it must be,
   * with CONSUMER_PARTITION_LOST when the range's lease ended, with the last error when it gave up, and when `stop`
   * was called while ClickHouse did not answer. Ranges of one place are stored one after another, never at once.
   */
  store(range: StoreRange): Promise<readonly Parked[]>;
  /** Ends waiting for ClickHouse; an INSERT under way may finish until `abort`. */
  stop(): void;
  abort(): void;
}

export function createStore(config: StoreConfig, deps: StoreDeps): Store {
  const { clickhouse, log, metrics } = deps;
  const idle: StoreDecoder[] = [];
  const stopping = new AbortController();
  const aborting = new AbortController();
  const inserter = createInserter({ ...deps, stopping: stopping.signal, aborting: aborting.signal });
  const breaker = createBreaker();

  /** `withdrawn`: offsets of what was refused and is parked instead. */
  async function store(range: StoreRange, withdrawn: readonly number[] = []): Promise<readonly Parked[]> {
    const decoder = idle.pop() ?? deps.createDecoder();
    const messages = withoutRepeats(range.messages);
    let refused: AppError;
    try {
      return await storeWith(decoder, { ...range, messages }, withdrawn);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'STORE_ROWS_REFUSED') throw error;
      // Each half is to be noted, and its dead letters to be kept, before the next is begun.
      if (range.fence && messages.length > 1) throw error;
      refused = error;
    } finally {
      idle.push(decoder);
    }
    return await isolate({ ...range, messages }, refused);
  }

  /** Rejects with STORE_ROWS_REFUSED when ClickHouse takes not all of the messages. */
  async function storeWith(
    decoder: StoreDecoder,
    range: StoreRange,
    withdrawn: readonly number[],
  ): Promise<readonly Parked[]> {
    if (range.isFirst) inserter.forget(range);
    const { messages, lease } = range;
    const decoded = decoder.decode(range, messages);
    const parked = decoded.refused.map(({ offset, error }) => parkedOf(range, messages, { offset, error }));
    const signal = lease ? AbortSignal.any([stopping.signal, lease.signal]) : stopping.signal;
    const work: Work = { range, decoded };
    let last: AppError | undefined;
    for (let tries = 1; ; tries++) {
      await breaker.enter(signal, tries - 1).catch(() => {
        lease?.assertHeld();
        throw last ?? failure('CLICKHOUSE_BUSY', 'stopped while ClickHouse was waited for');
      });
      try {
        if (messages.length > 0) await inserter.insert(work);
        lease?.assertHeld();
        if (withdrawn.length > 0) await withdraw(clickhouse, range, withdrawn);
        await insertParked(clickhouse, [...range.parked, ...parked]);
        breaker.succeeded();
        break;
      } catch (error) {
        const isDown = error instanceof AppError && error.code.startsWith('CLICKHOUSE_');
        if (isDown && !signal.aborted) breaker.failed();
        else breaker.left();
        inserter.forget(range);
        // Whatever it looks like, the range is another's now.
        lease?.assertHeld();
        if (!(error instanceof AppError)) throw error;
        if (error.code === 'STORE_LEDGER') metrics.ledgerAlarms.inc();
        if (error.code !== 'STORE_RANGE_TOO_LARGE') metrics.insertFailures.inc({ code: error.code });
        if (!isDown || tries >= config.triesMax || stopping.signal.aborted) throw error;
        last = error;
        metrics.clickhouseUp.set(0);
        log.warn({ code: error.code }, `${error.message}; the batches wait where they are`);
      }
    }
    settle(decoded, [...range.parked, ...parked]);
    return parked;
  }

  /** Halves the range until the message that ClickHouse refuses stands alone; that one is parked. */
  async function isolate(range: StoreRange, error: AppError): Promise<readonly Parked[]> {
    const { messages } = range;
    if (messages.length > 1) {
      const middle = messages.length >> 1;
      const first = await store({ ...range, messages: messages.slice(0, middle) });
      return [...first, ...(await store({ ...range, messages: messages.slice(middle), parked: [] }))];
    }
    const parked = messages.map(({ offset }) => parkedOf(range, messages, { offset, error }));
    const withdrawn = messages.map(({ offset }) => offset);
    await store({ ...range, messages: [], parked: [...range.parked, ...parked] }, withdrawn);
    return parked;
  }

  function withoutRepeats(messages: readonly StoreMessage[]): readonly StoreMessage[] {
    const first = new Map(messages.map((message) => [message.offset, message] as const).toReversed());
    metrics.duplicates.inc(messages.length - first.size);
    return [...first.values()].toReversed();
  }

  function settle(decoded: StoreDecoded, parked: readonly Parked[]): void {
    metrics.clickhouseUp.set(1);
    metrics.batches.inc(decoded.batches.length);
    for (const { reason } of parked) metrics.parked.inc({ reason });
    const newest = decoded.batches.at(-1);
    if (newest) metrics.lag.set(Math.max(0, Date.now() / 1000 - newest.filedTs / 1e6));
    const misfits = decoded.batches.flatMap((batch) => misfitOf(batch) ?? []);
    metrics.clockMisfits.inc(misfits.length);
    if (misfits[0]) log.warn(misfits[0]);
  }

  return { store: (range) => store(range), stop: () => stopping.abort(), abort: () => aborting.abort() };
}

function parkedOf(
  range: StoreRange,
  messages: readonly StoreMessage[],
  { offset, error }: StoreDecoded['refused'][number],
): Parked {
  const identity = messages.find((message) => message.offset === offset)?.identity;
  if (!identity) throw new Error(`no message ${offset}`);
  const { origin, originPartition } = range;
  return {
    origin,
    originPartition,
    originOffset: offset,
    identity,
    reason: error.code,
    detail: error.message,
  };
}
