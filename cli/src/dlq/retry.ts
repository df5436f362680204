/**
 * `tcptrail dlq retry`: stores letters under the place they came from.
 *
 * The consumer's own store does it: it asks the ledger first, so a retry that was killed half way, or is run twice,
 * inserts only what is absent. A lock keeps two retries of one origin apart.
 */
import { rangesOf } from '@tcptrail/consumer/consume/kafka-batch.ts';
import type { Message, ParkedBatch } from '@tcptrail/consumer/consume/transport.ts';
import { createRangeDecoder } from '@tcptrail/consumer/decode/range.ts';
import { createLog } from '@tcptrail/consumer/log.ts';
import { createMetrics } from '@tcptrail/consumer/metrics.ts';
import { withOriginLease } from '@tcptrail/consumer/origin-lease.ts';
import { createStore, type Store } from '@tcptrail/consumer/store/store.ts';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { plural } from '../terminal/human.ts';
import { styleFor } from '../terminal/style.ts';
import { printable } from '../terminal/width.ts';
import { type Choice, choose, gather, withBytes } from './gather.ts';
import { type Letter, placeOf } from './letters.ts';
import { record } from './outcomes.ts';
import { type Dlq, type DlqOptions, withDlq } from './source.ts';

export interface RetryOptions extends DlqOptions, Choice {
  readonly why?: string;
}

/** What became of a letter: '' when it is stored, else why not. */
type Refusal = string;

const BYTES_MAX = 256 * 1024 * 1024;
const TRIES_MAX = 5;
const LEASE_WAIT_MS_MAX = 60_000;
/** Errors that say nothing of the other letters. */
const OF_ONE_LETTER: readonly string[] = ['STORE_LEDGER', 'ORIGIN_BUSY', 'CONSUMER_PARTITION_LOST'];

/** Exit code 1 when not all of them could be stored. Throws CONFIG_*, KAFKA_*, CLICKHOUSE_*. */
export async function retryCommand(ids: readonly string[], options: RetryOptions): Promise<void> {
  await withDlq(options, async (dlq) => {
    const { box } = dlq;
    const at = { ...options, place: box.place, command: 'tcptrail dlq retry' };
    const chosen = choose(await gather(dlq), ids, at);
    const style = styleFor(process.stdout);
    const store = openStore(dlq);
    const busy = new Map<string, Refusal>();
    let stored = 0;
    for (const portion of portionsOf(chosen, BYTES_MAX)) {
      const letters: Letter[] = [];
      await withBytes(dlq, portion, (letter) => letters.push(letter));
      for (const letter of letters) {
        const refusal = await retry(dlq, store, letter, { why: options.why ?? '', busy });
        if (refusal === '') stored++;
        const mark = refusal === '' ? style('green', '✔') : style('red', '✘');
        process.stdout.write(
          `${mark} ${letter.id} ${refusal === '' ? `stored as ${placeOf(letter)}` : refusal}\n`,
        );
      }
    }
    process.stdout.write(`${stored} of ${plural(chosen.length, 'letter')} stored\n`);
    if (stored < chosen.length) process.exitCode = 1;
  });
}

function openStore({ clickhouse }: Dlq): Store {
  const log = createLog();
  log.level = 'silent';
  return createStore(
    { triesMax: TRIES_MAX },
    { clickhouse, createDecoder: createRangeDecoder, log, metrics: createMetrics() },
  );
}

/** In order, of so many bytes each, or of one letter: those are in memory at the same time. */
export function portionsOf<T extends { readonly size: number }>(
  letters: readonly T[],
  bytesMax: number,
): readonly (readonly T[])[] {
  const portions: T[][] = [];
  let bytes = 0;
  for (const letter of letters) {
    bytes += letter.size;
    const portion = portions.at(-1);
    if (portion && bytes <= bytesMax) portion.push(letter);
    else {
      portions.push([letter]);
      bytes = letter.size;
    }
  }
  return portions;
}

/** `busy`: partitions that another process stores, which are waited for once. */
async function retry(
  dlq: Dlq,
  store: Store,
  letter: Letter,
  { why, busy }: { readonly why: string; readonly busy: Map<string, Refusal> },
): Promise<Refusal> {
  const { box, clickhouse } = dlq;
  const partition = `${letter.origin}/${letter.originPartition}`;
  const others = busy.get(partition);
  if (others !== undefined) return others;
  if (box.isBeforeConsumer(letter)) return 'the consumer has yet to pass it, and stores it then';
  const read = messageOf(letter);
  if ('reason' in read) return read.detail;
  const place = { origin: letter.origin, originPartition: letter.originPartition };
  try {
    const [parked] = await withOriginLease(clickhouse, { ...place, waitMsMax: LEASE_WAIT_MS_MAX }, (lease) =>
      store.store({ ...place, messages: [read], parked: [], lease, isFirst: true }),
    );
    if (parked) return `refused again: ${printable(parked.detail)}`;
  } catch (error) {
    if (!(error instanceof AppError) || !OF_ONE_LETTER.includes(error.code)) throw error;
    if (error.code === 'ORIGIN_BUSY') busy.set(partition, error.message);
    return printable(error.message);
  }
  await record(clickhouse, [letter], { outcome: 'retried', why });
  box.remove(letter);
  return '';
}

/** The letter as its consumer would have handed it on, or why it still cannot. */
function messageOf(letter: Letter): Message | Pick<ParkedBatch, 'reason' | 'detail'> {
  const { form, value, originOffset } = letter;
  const nothing = (detail: string) => ({ reason: letter.reason, detail });
  if (form === 'foreign') return nothing(letter.detail);
  if (form === 'damage') return nothing('these bytes are no batch: there is nothing to store');
  const fill = { isFullFor: () => false, add() {}, clear() {}, waitMs: () => 0, isEmpty: true };
  const [range] = rangesOf([{ offset: String(originOffset), key: null, value }], letter, fill);
  const [message] = range?.messages ?? [];
  return message ? doubtful(message, letter) : (range?.parked[0] ?? nothing('it holds no batch'));
}

/** Its agent may have sent it again meanwhile, to another offset: the store is to look. */
function doubtful(message: Message, { brokerTs }: Letter): Message {
  const datum = Uint8Array.from(message.datum);
  // maybe_duplicate is the first field, a boolean of one byte.
  if (datum[0] === 0) datum[0] = 1;
  return { ...message, datum, ...(brokerTs === undefined ? {} : { brokerTs }) };
}
