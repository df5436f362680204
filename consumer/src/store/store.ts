/**
 * Stores ranges exactly once: the ledger decides.
 *
 * A range is inserted blindly only when the ledger ends before it and nothing was left uncertain. After a start, a
 * time-out or a broken connection: wait until no INSERT of the origin runs, ask per message, table and day, insert
 * what is absent. In both cases the ledger is counted afterwards.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import type { Logger } from 'pino';
import { failure } from '../errors.ts';
import type { Metrics } from '../metrics.ts';
import { createBackoff } from './backoff.ts';
import type { ClickHouse } from './clickhouse.ts';
import { insertBlock } from './insert.ts';
import { createLedger, type Span } from './ledger.ts';
import { insertParked } from './parked.ts';
import {
  assertSameBatches,
  assertStored,
  type Expected,
  expectedOf,
  type PlannedInsert,
  planInserts,
} from './plan.ts';
import type { Parked, StoreDecoded, StoreDecoder, StoreMessage, StoreRange } from './range.ts';
import { findRepeats } from './repeats.ts';
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

const QUIET_CHECKS = 3;
const QUIET_WAIT_MS = 50;
const DAY_MS = 86_400_000;
/** Younger than the tables' TTL, less a day for clocks. */
const KEPT_DAYS = 6;

export function createStore(config: StoreConfig, deps: StoreDeps): Store {
  const { clickhouse, log, metrics } = deps;
  const idle: StoreDecoder[] = [];
  const ledger = createLedger(clickhouse);
  const stopping = new AbortController();
  const aborting = new AbortController();
  /** Origin → greatest stored offset, as long as nothing is uncertain. */
  const certain = new Map<string, number>();

  async function store(range: StoreRange): Promise<readonly Parked[]> {
    const decoder = idle.pop() ?? deps.createDecoder();
    const messages = withoutRepeats(range.messages);
    let refused: AppError;
    try {
      return await storeWith(decoder, { ...range, messages });
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'STORE_ROWS_REFUSED') throw error;
      refused = error;
    } finally {
      idle.push(decoder);
    }
    return await isolate({ ...range, messages }, refused);
  }

  /** Rejects with STORE_ROWS_REFUSED when ClickHouse takes not all of the messages. */
  async function storeWith(decoder: StoreDecoder, range: StoreRange): Promise<readonly Parked[]> {
    const key = `${range.origin}/${range.originPartition}`;
    if (range.isFirst) certain.delete(key);
    const { messages, lease } = range;
    const decoded = decoder.decode(range, messages);
    const parked = decoded.refused.map(({ offset, error }) => parkedOf(range, messages, { offset, error }));
    const signal = lease ? AbortSignal.any([stopping.signal, lease.signal]) : stopping.signal;
    const backoff = createBackoff({ triesMax: config.triesMax, signal });
    for (;;) {
      try {
        if (messages.length > 0) await storeMessages(range, { key, decoded });
        await insertParked(clickhouse, [...range.parked, ...parked]);
        break;
      } catch (error) {
        // Whatever it looks like, the range is another's now.
        lease?.assertHeld();
        if (!(error instanceof AppError)) throw error;
        certain.delete(key);
        metrics.insertFailures.inc({ code: error.code });
        if (error.code === 'STORE_ROWS_REFUSED') throw error;
        if (error.code === 'STORE_LEDGER') {
          metrics.ledgerAlarms.inc();
          throw error;
        }
        metrics.clickhouseUp.set(0);
        log.warn({ code: error.code }, `${error.message}; the batches wait where they are`);
        await backoff.wait(error);
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
    range.lease?.assertHeld();
    await withdraw(
      clickhouse,
      range,
      messages.map(({ offset }) => offset),
    );
    await store({ ...range, messages: [], parked: [...range.parked, ...parked] });
    return parked;
  }

  async function storeMessages(
    range: StoreRange,
    { key, decoded }: { readonly key: string; readonly decoded: StoreDecoded },
  ): Promise<void> {
    const offsets = range.messages.map(({ offset }) => offset);
    const span: Span = {
      origin: range.origin,
      originPartition: range.originPartition,
      first: Math.min(...offsets),
      last: Math.max(...offsets),
    };
    const logComment = `tcptrail ${key}`;
    let maximum = certain.get(key);
    if (maximum === undefined) {
      await quiet(logComment);
      maximum = await ledger.maximum(range, span.first);
    }
    const repeats = await findRepeats(clickhouse, span, decoded.batches);
    const expected = expectedOf(decoded.batches.filter(({ offset }) => !repeats.has(offset)));
    const stored = span.first > maximum ? undefined : await ledger.messages(span);
    if (stored) assertSameBatches(decoded.batches, await ledger.identities(span), span);
    const plan = planInserts(expected, stored);
    if (stored) tellSkipped(expected, plan);
    certain.delete(key);
    for (const planned of plan) await insert(planned, decoded, { logComment, lease: range.lease });
    const oldestDay = Math.floor(Date.now() / DAY_MS) - KEPT_DAYS;
    assertStored(expected, await ledger.totals(span), { span, oldestDay });
    certain.set(key, Math.max(maximum, span.last));
    metrics.duplicates.inc(repeats.size);
  }

  async function insert(
    planned: PlannedInsert,
    decoded: StoreDecoded,
    { logComment, lease }: { readonly logComment: string; readonly lease: StoreRange['lease'] },
  ): Promise<void> {
    const { table, day, offsets, rows } = planned;
    const isEvents = table === 'tcp_events';
    const body = isEvents ? decoded.events(offsets, day) : decoded.batchLines(offsets, day);
    if (!body) return;
    const stopTimer = metrics.insertSeconds.startTimer();
    const format = isEvents ? 'Native' : 'JSONEachRow';
    lease?.assertHeld();
    const signal = lease ? AbortSignal.any([aborting.signal, lease.signal]) : aborting.signal;
    await insertBlock(clickhouse, { table, format, body, logComment, signal }).catch((error: unknown) => {
      // Of the rows, not of a question of ours: only these may be parked.
      if (!(error instanceof AppError) || error.code !== 'CLICKHOUSE_REFUSED') throw error;
      throw failure('STORE_ROWS_REFUSED', error.message, { cause: error });
    });
    stopTimer();
    metrics.inserts.inc({ table });
    metrics.rows.inc({ table }, rows);
  }

  /** Seen idle several times: a server may still be taking up a request whose sender is gone. */
  async function quiet(logComment: string): Promise<void> {
    for (let idle = 0; idle < QUIET_CHECKS; ) {
      idle = (await ledger.running(logComment)) === 0 ? idle + 1 : 0;
      if (idle < QUIET_CHECKS) await sleep(QUIET_WAIT_MS);
      if (stopping.signal.aborted) stopping.signal.throwIfAborted();
    }
  }

  function withoutRepeats(messages: readonly StoreMessage[]): readonly StoreMessage[] {
    const first = new Map(messages.map((message) => [message.offset, message] as const).toReversed());
    metrics.duplicates.inc(messages.length - first.size);
    return [...first.values()].toReversed();
  }

  function tellSkipped(expected: Expected, plan: readonly PlannedInsert[]): void {
    const missing = new Set(plan.flatMap(({ offsets }) => [...offsets]));
    const skipped = expected.tcp_batches.size - missing.size;
    metrics.ledgerSkips.inc(skipped);
    log.info(
      `the ledger holds ${skipped} of ${expected.tcp_batches.size} batches already; the others are inserted`,
    );
  }

  function settle(decoded: StoreDecoded, parked: readonly Parked[]): void {
    metrics.clickhouseUp.set(1);
    metrics.batches.inc(decoded.batches.length);
    for (const { reason } of parked) metrics.parked.inc({ reason });
    const newest = decoded.batches.at(-1);
    if (newest) metrics.lag.set(Math.max(0, Date.now() / 1000 - newest.envelope.batch_ts / 1e6));
  }

  return { store, stop: () => stopping.abort(), abort: () => aborting.abort() };
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
