/** What became of letters: the ledger and tcp_parked_outcomes, asked and written. */
import type { ClickHouse } from '@tcptrail/consumer/store/clickhouse.ts';
import { insertBlock } from '@tcptrail/consumer/store/insert.ts';
import { who } from '../who.ts';
import { type Letter, placeOf } from './letters.ts';

/** parked: nothing of it is stored; stored: all of it is, or the same batch from elsewhere; discarded: given up. */
export type State = 'parked' | 'stored' | 'discarded';

type Place = Pick<Letter, 'origin' | 'originPartition' | 'originOffset'>;

const PLACE = "concat(origin, '/', toString(origin_partition), '/', toString(origin_offset))";
/** ClickHouse takes 128 KiB as one parameter of a question (http_max_field_value_size). */
const ASKED_MAX = 500;

/** By `placeOf`; a place that is absent is parked. Throws CLICKHOUSE_*. */
export async function statesOf(
  clickhouse: ClickHouse,
  places: readonly Place[],
): Promise<ReadonlyMap<string, State>> {
  const { database } = clickhouse;
  const states = new Map<string, State>();
  for (let from = 0; from < places.length; from += ASKED_MAX) {
    const asked = places.slice(from, from + ASKED_MAX);
    const rows = await clickhouse.query<{ place: string; state: State }>(
      `SELECT place, argMax(state, ts) AS state
       FROM
       (
           SELECT ${PLACE} AS place, if(outcome = 'retried', 'stored', 'discarded') AS state, decided_ts AS ts
           FROM ${database}.tcp_parked_outcomes
           UNION ALL
           SELECT ${PLACE} AS place, 'stored' AS state, toDateTime64('2299-01-01', 6, 'UTC') AS ts
           FROM ${database}.tcp_batches
           WHERE origin IN {origins:Array(String)} AND origin_offset IN {offsets:Array(UInt64)}
       )
       WHERE place IN {places:Array(String)}
       GROUP BY place`,
      {
        origins: [...new Set(asked.map(({ origin }) => origin))],
        offsets: asked.map(({ originOffset }) => originOffset),
        places: asked.map(placeOf),
      },
    );
    for (const { place, state } of rows) states.set(place, state);
  }
  return states;
}

/** Leaves the trace: who, when, why. Throws CLICKHOUSE_*. */
export async function record(
  clickhouse: ClickHouse,
  places: readonly Place[],
  decision: { readonly outcome: 'retried' | 'discarded'; readonly why: string },
): Promise<void> {
  if (places.length === 0) return;
  const lines = places.map((place) =>
    JSON.stringify({
      origin: place.origin,
      origin_partition: place.originPartition,
      origin_offset: place.originOffset,
      outcome: decision.outcome,
      decided_by: who(),
      why: decision.why,
    }),
  );
  await insertBlock(clickhouse, {
    table: 'tcp_parked_outcomes',
    format: 'JSONEachRow',
    body: Buffer.from(`${lines.join('\n')}\n`),
    logComment: 'tcptrail dlq',
  });
}

/** The batches that the table names for a letter: several where bytes of a segment hold several. */
export async function parkedIn(
  clickhouse: ClickHouse,
  letter: Letter,
  file: string,
): Promise<readonly Place[]> {
  if (letter.form !== 'damage') return [letter];
  return await clickhouse.query<Place>(
    `SELECT origin, origin_partition AS originPartition, origin_offset AS originOffset
     FROM ${clickhouse.database}.tcp_parked FINAL
     WHERE detail = {file:String}`,
    { file },
  );
}
