/**
 * Inserts a range exactly once: the intent fences, the ledger decides (decision 22).
 *
 * What nobody began is planned with the ledger, noted, inserted; an answer that tells of all rows, to a token that
 * nobody used before, is enough. Whatever is uncertain, a range that was begun before, rows that were there, or an
 * INSERT without that answer, is counted, inserted under the token it was begun with, and counted
 * again; a token whose rows are not there was logged by a ClickHouse that was killed before it kept them, and the next
 * one takes its place. Where nothing can be noted the ledger is asked by message instead, once nothing runs.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { failure } from '../errors.ts';
import type { Metrics } from '../metrics.ts';
import type { ClickHouse } from './clickhouse.ts';
import { oldestDayKept } from './days.ts';
import { insertRows } from './insert.ts';
import {
  createIntent,
  type IntendedInsert,
  type Intent,
  intendedOf,
  intentText,
  readIntent,
  tokenOf,
} from './intent.ts';
import { createLedger, type Span } from './ledger.ts';
import {
  assertSameBatches,
  assertStored,
  type Expected,
  expectedOf,
  ledgerAlarm,
  offsetsIn,
  planInserts,
  rowsOf,
} from './plan.ts';
import type { StoreDecoded, StoreRange } from './range.ts';
import { findRepeats } from './repeats.ts';

export interface InserterDeps {
  readonly clickhouse: ClickHouse;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Ends waiting. */
  readonly stopping: AbortSignal;
  /** Breaks INSERTs off. */
  readonly aborting: AbortSignal;
}

/** One range, over all tries. */
export interface Work {
  readonly range: StoreRange;
  readonly decoded: StoreDecoded;
  /** Noted by this process; goes on from one try to the next. */
  intent?: Intent;
}

export interface Inserter {
  /** Rejects with STORE_LEDGER, STORE_ROWS_REFUSED, STORE_RANGE_TOO_LARGE, and as ClickHouse and the fence do. */
  insert(work: Work): Promise<void>;
  /** What is known of the place may be old. */
  forget(place: Pick<StoreRange, 'origin' | 'originPartition'>): void;
}

const QUIET_CHECKS = 3;
const QUIET_WAIT_MS = 50;
/** A token is burned by a kill at one moment of an INSERT; more in a row are no accident. */
const ATTEMPTS_MAX = 20;

export function createInserter(deps: InserterDeps): Inserter {
  const { clickhouse, log, metrics } = deps;
  const ledger = createLedger(clickhouse);
  /** Place → greatest stored offset, as long as nothing is uncertain. */
  const certain = new Map<string, number>();

  async function insert(work: Work): Promise<void> {
    const { range, decoded } = work;
    const span = spanOf(range);
    const begun = work.intent ?? begunBefore(range, decoded);
    // Of what an owner began who read other rows, INSERTs may run under tokens that nobody sends again.
    if (!begun) return await begin(work, span, range.fence?.isKnown && range.fence.begun === undefined);
    if (!work.intent) {
      metrics.replayedRanges.inc();
      log.info(`${placeOf(range)}: messages ${span.first}-${span.last} were begun before; they are finished`);
    }
    await finish(work, span, begun);
    const isNewlyRead = decoded.batches.some(({ offset }) => begun.parked.includes(offset));
    if (isNewlyRead) await begin(work, span, true);
  }

  /** `isKnown`: whatever INSERT of the range another may have sent is one that was finished. */
  async function begin(work: Work, span: Span, isKnown = false): Promise<void> {
    const { range, decoded } = work;
    const parked = parkedIn(work);
    let maximum = certain.get(placeOf(range));
    if (maximum === undefined) {
      if (!isKnown) await quiet(range);
      maximum = await ledger.maximum(range, span.first);
    }
    const stored = span.first > maximum ? undefined : await ledger.messages(span);
    const repeats = await findRepeats(clickhouse, span, decoded.batches, stored && offsetsIn(stored));
    const expected = expectedOf(decoded.batches.filter(({ offset }) => !repeats.has(offset)));
    if (stored) assertSameBatches(decoded.batches, await ledger.identities(span), span);
    const plan = planInserts(expected, stored);
    if (stored) tellSkipped(range, { batches: expected.tcp_batches.size, plan });
    forget(range);
    const inserts = intendedOf(expectedOf(decoded.batches), plan);
    if (range.fence && plan.length > 0) {
      const intent = createIntent({ digest: range.fence.digest(), parked, inserts });
      await range.fence.note(intentText(intent));
      work.intent = intent;
    }
    let isCertain = work.intent !== undefined && stored === undefined;
    for (const intended of inserts) if (!(await send(work, intended))) isCertain = false;
    if (!isCertain) await count(work, span, { expected, parked });
    certain.set(placeOf(range), Math.max(maximum, span.last));
    metrics.duplicates.inc(repeats.size);
  }

  /** Throws STORE_LEDGER when the table does not hold what it must. */
  async function count(
    work: Work,
    span: Span,
    { expected, parked }: { readonly expected: Expected; readonly parked: readonly number[] },
  ): Promise<void> {
    const oldestDay = oldestDayKept();
    try {
      assertStored(expected, await ledger.totals(span, parked), { span, oldestDay });
    } catch (error) {
      if (!work.intent) throw error;
      await finish(work, span, work.intent);
      assertStored(expected, await ledger.totals(span, parked), { span, oldestDay });
    }
  }

  /** Undefined when nothing was begun, or the messages are no longer what they were: the ledger is asked then. */
  function begunBefore(range: StoreRange, decoded: StoreDecoded): Intent | undefined {
    if (range.fence?.begun === undefined) return undefined;
    const intent = readIntent(range.fence.begun);
    if (intent && intent.digest !== range.fence.digest()) {
      throw ledgerAlarm(
        `${placeOf(range)}: messages ${spanOf(range).first}-${spanOf(range).last} are not those that were begun: the topic was made anew, or its messages were replaced`,
      );
    }
    // Another version of the program may decode them to other rows.
    const known = expectedOf(decoded.batches.filter(({ offset }) => !intent?.parked.includes(offset)));
    const isSame = intent?.inserts.every((each) => rowsOf(known, each) === each.rows);
    if (isSame) return intent;
    log.warn(
      `${placeOf(range)}: what was begun before cannot be read as it was; the ledger is asked by message`,
    );
    return undefined;
  }

  async function finish(work: Work, span: Span, begun: Intent): Promise<void> {
    forget(work.range);
    work.intent = begun;
    for (let index = 0; index < begun.inserts.length; index++) await finishOne(work, span, index);
  }

  async function finishOne(work: Work, span: Span, index: number): Promise<void> {
    for (;;) {
      const intended = work.intent?.inserts[index];
      if (!intended || (await isStored(work, span, intended))) return;
      await send(work, intended);
      if (await isStored(work, span, intended)) return;
      if (intended.day < oldestDayKept()) return;
      // An INSERT of the same token that still runs would have to be seen when it ends.
      await quiet(work.range);
      if (await isStored(work, span, intended)) return;
      await burn(work, index, intended);
    }
  }

  /** The rows of one INSERT are there as a whole or not at all. */
  async function isStored({ intent }: Work, span: Span, intended: IntendedInsert): Promise<boolean> {
    const { table, day, rows } = intended;
    const count = await ledger.count(span, { table, day, without: leftOutOf(intended, intent) });
    if (count === 0 || count === rows) return count === rows;
    throw ledgerAlarm(
      `${table} holds ${count} rows of ${span.origin} ${span.first}-${span.last}, day ${day}, and must hold ${rows}`,
    );
  }

  async function burn(work: Work, index: number, intended: IntendedInsert): Promise<void> {
    if (await ledger.isReplicated(intended.table)) {
      throw failure(
        'CLICKHOUSE_BUSY',
        `this replica of ${intended.table} does not have rows that were inserted; it is waited for`,
      );
    }
    if (intended.attempt >= ATTEMPTS_MAX)
      throw ledgerAlarm(`${intended.table} does not keep rows of day ${intended.day} that were inserted`);
    metrics.burnedTokens.inc();
    const next = { ...intended, attempt: intended.attempt + 1 };
    log.warn(
      `${placeOf(work.range)}: ClickHouse knows the token of ${intended.rows} rows of ${intended.table} and does not have the rows, as after a kill; they are inserted under the next one`,
    );
    if (!work.intent) throw new Error('nothing was begun');
    const intent = { ...work.intent, inserts: work.intent.inserts.with(index, next) };
    await work.range.fence?.note(intentText(intent));
    work.intent = intent;
  }

  /** Whether the answer tells of all rows. */
  async function send({ range, decoded, intent }: Work, intended: IntendedInsert): Promise<boolean> {
    const { table, day, rows } = intended;
    const offsets = new Set(decoded.batches.map(({ offset }) => offset));
    for (const offset of leftOutOf(intended, intent)) offsets.delete(offset);
    const isEvents = table === 'tcp_events';
    const body = isEvents ? decoded.events(offsets, day) : decoded.batchLines(offsets, day);
    if (!body) return false;
    const stopTimer = metrics.insertSeconds.startTimer();
    const { lease } = range;
    const block = {
      table,
      format: isEvents ? 'Native' : 'JSONEachRow',
      body,
      logComment: commentOf(range),
      signal: lease ? AbortSignal.any([deps.aborting, lease.signal]) : deps.aborting,
      ...(intent ? { token: tokenOf(intent, intended) } : {}),
    } as const;
    const written = await insertRows(clickhouse, block, () => lease?.assertHeld());
    stopTimer();
    metrics.inserts.inc({ table });
    metrics.rows.inc({ table }, rows);
    return written === rows;
  }

  /** Seen idle several times: a server may still be taking up a request whose sender is gone. */
  async function quiet(range: StoreRange): Promise<void> {
    for (let idle = 0; idle < QUIET_CHECKS; ) {
      idle = (await ledger.running(commentOf(range))) === 0 ? idle + 1 : 0;
      if (idle < QUIET_CHECKS) await sleep(QUIET_WAIT_MS);
      deps.stopping.throwIfAborted();
      range.lease?.assertHeld();
    }
  }

  function tellSkipped(
    range: StoreRange,
    { batches, plan }: { readonly batches: number; readonly plan: ReturnType<typeof planInserts> },
  ): void {
    const skipped = batches - new Set(plan.flatMap(({ offsets }) => [...offsets])).size;
    metrics.ledgerSkips.inc(skipped);
    log.info(
      `${placeOf(range)}: the ledger holds ${skipped} of ${batches} batches already; the others are inserted`,
    );
  }

  function forget(place: Pick<StoreRange, 'origin' | 'originPartition'>): void {
    certain.delete(placeOf(place));
  }

  return { insert, forget };
}

function placeOf({ origin, originPartition }: Pick<StoreRange, 'origin' | 'originPartition'>): string {
  return `${origin}/${originPartition}`;
}

function commentOf(range: StoreRange): string {
  return `tcptrail ${placeOf(range)}`;
}

/** Offsets of what cannot be read; rows of them may be there, of another version of the program. */
const parkedIn = ({ range, decoded }: Work): readonly number[] => [
  ...parkedOffsetsOf(range),
  ...decoded.refused.map(({ offset }) => offset),
];

/** A spool tells of damage in the run before, too. */
const parkedOffsetsOf = ({ origin, originPartition, parked }: StoreRange): readonly number[] =>
  parked
    .filter((each) => each.origin === origin && each.originPartition === originPartition)
    .map(({ originOffset }) => originOffset);

const leftOutOf = ({ without }: IntendedInsert, intent: Intent | undefined): readonly number[] =>
  intent ? [...without, ...intent.parked] : without;

/** Of what cannot be read as well: another version of the program may read it, and is to send the same INSERTs. */
function spanOf(range: StoreRange): Span {
  const { origin, originPartition } = range;
  const offsets = [...range.messages.map(({ offset }) => offset), ...parkedOffsetsOf(range)];
  return { origin, originPartition, first: Math.min(...offsets), last: Math.max(...offsets) };
}
