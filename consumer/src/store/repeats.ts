/** Batches that were sent more than once: which messages of a range hold what is stored already. */
import { partsAbove } from '@tcptrail/schemas/split-batch.ts';
import { BATCH_COLUMNS, batchName, WHOLE_NAME, wholeName } from './batch-name.ts';
import type { ClickHouse } from './clickhouse.ts';
import type { Span } from './ledger.ts';
import type { Batch, StoreDecoded } from './range.ts';

/** ClickHouse takes 128 KiB as one parameter of a question (http_max_field_value_size). */
const ASKED_MAX = 500;

/**
 * Offsets of the messages to leave out. Within the range the first of a batch counts; outside it the table is asked,
 * for those that say they may have been sent before. A part is there, too, when the batch it was split from is.
 *
 * `stored`: offsets of the range of which something is stored, absent where the table holds nothing from there on.
 * What is read again may have been parked when it was first read, and stored since from where it was sent again: then
 * what is stored counts, and the table is asked for all.
 */
export async function findRepeats(
  clickhouse: ClickHouse,
  span: Span,
  batches: StoreDecoded['batches'],
  stored?: ReadonlySet<number>,
): Promise<ReadonlySet<number>> {
  const isDoubtful = ({ offset, envelope }: (typeof batches)[number]): boolean =>
    stored ? !stored.has(offset) : envelope.maybe_duplicate;
  const doubtful = batches.filter(isDoubtful);
  const repeats = new Set<number>();
  if (doubtful.length === 0) return repeats;
  const envelopes = doubtful.map(({ envelope }) => envelope);
  const elsewhere = await storedNames(clickhouse, envelopes, span);
  const firsts = new Set<string>();
  const isThere = (offset: number): boolean => stored?.has(offset) ?? false;
  for (const batch of batches.toSorted((a, b) => Number(isThere(b.offset)) - Number(isThere(a.offset)))) {
    const names = namesOf(batch.envelope);
    const isKnown = names.some((name) => firsts.has(name) || (isDoubtful(batch) && elsewhere.has(name)));
    if (isKnown && !isThere(batch.offset)) repeats.add(batch.offset);
    else firsts.add(names[0] ?? '');
  }
  return repeats;
}

/** Names of those batches that the table holds, with an origin outside the span where one is given. */
export async function storedNames(
  clickhouse: ClickHouse,
  batches: readonly Batch[],
  outside?: Span,
): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  const elsewhere = `AND NOT (origin = {origin:String} AND origin_partition = {originPartition:UInt32}
                AND origin_offset BETWEEN {first:UInt64} AND {last:UInt64})`;
  for (let from = 0; from < batches.length; from += ASKED_MAX) {
    const asked = batches.slice(from, from + ASKED_MAX);
    const rows = await clickhouse.query<Batch>(
      `SELECT ${BATCH_COLUMNS}
       FROM ${clickhouse.database}.tcp_batches AS stored
       WHERE stored.host_id IN {hosts:Array(String)} AND ${WHOLE_NAME} IN {asked:Array(String)} ${outside ? elsewhere : ''}`,
      { ...outside, hosts: [...new Set(asked.map(({ host_id }) => host_id))], asked: asked.map(wholeName) },
    );
    for (const row of rows) names.add(batchName(row));
  }
  return names;
}

/** The batch's own name first, then those of the batches it is a part of. */
function namesOf(batch: Batch): readonly string[] {
  return partsAbove(batch.batch_part).map((part) => batchName(batch, part));
}
