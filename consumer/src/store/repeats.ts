/** Batches that were sent more than once: which messages of a range hold what is stored already. */
import { partsAbove } from '@tcptrail/schemas/split-batch.ts';
import { BATCH_COLUMNS, batchName, WHOLE_NAME, wholeName } from './batch-name.ts';
import type { ClickHouse } from './clickhouse.ts';
import type { Span } from './ledger.ts';
import type { Batch, StoreDecoded } from './range.ts';

/**
 * Offsets of the messages to leave out. Within the range the first of a batch counts; outside it the table is asked,
 * for those that say they may have been sent before. A part is there, too, when the batch it was split from is.
 */
export async function findRepeats(
  clickhouse: ClickHouse,
  span: Span,
  batches: StoreDecoded['batches'],
): Promise<ReadonlySet<number>> {
  const doubtful = batches.filter(({ envelope }) => envelope.maybe_duplicate);
  const repeats = new Set<number>();
  if (doubtful.length === 0) return repeats;
  const elsewhere = await storedElsewhere(
    clickhouse,
    span,
    doubtful.map(({ envelope }) => envelope),
  );
  const firsts = new Map<string, number>();
  for (const { offset, envelope } of batches) {
    const names = namesOf(envelope);
    const first = names.map((name) => firsts.get(name)).find((found) => found !== undefined);
    if (first !== undefined || (envelope.maybe_duplicate && names.some((name) => elsewhere.has(name)))) {
      repeats.add(offset);
    } else {
      firsts.set(names[0] ?? '', offset);
    }
  }
  return repeats;
}

/** Names of those batches that the table holds with an origin outside the span. */
async function storedElsewhere(
  clickhouse: ClickHouse,
  span: Span,
  batches: readonly Batch[],
): Promise<ReadonlySet<string>> {
  const rows = await clickhouse.query<Batch>(
    `SELECT ${BATCH_COLUMNS}
     FROM ${clickhouse.database}.tcp_batches AS stored
     WHERE stored.host_id IN {hosts:Array(String)}
       AND ${WHOLE_NAME} IN {asked:Array(String)}
       AND NOT (origin = {origin:String} AND origin_partition = {originPartition:UInt32}
                AND origin_offset BETWEEN {first:UInt64} AND {last:UInt64})`,
    {
      ...span,
      hosts: [...new Set(batches.map(({ host_id }) => host_id))],
      asked: batches.map(wholeName),
    },
  );
  return new Set(rows.map((row) => batchName(row)));
}

/** The batch's own name first, then those of the batches it is a part of. */
function namesOf(batch: Batch): readonly string[] {
  return partsAbove(batch.batch_part).map((part) => batchName(batch, part));
}
