/** What ClickHouse holds, checked by itself: rows of each batch, batches twice, numbers that are missing. */
import type { ClickHouse } from '@tcptrail/consumer/store/clickhouse.ts';
import { type Finding, LISTED_MAX, type Scope } from './finding.ts';

export interface Held {
  readonly batches: number;
  readonly rows: number;
  readonly hosts: number;
}

/** Events may be filed two days from their batch, by their own time; one more for the edge of a day. */
const DAYS_AROUND = 3;

const ASKED_FOR = `(empty({hosts:Array(String)}) OR host_id IN {hosts:Array(String)} OR host_name IN {hosts:Array(String)})
  AND ({topic:String} = '' OR startsWith(origin, concat({topic:String}, '@')))`;
const SINCE = 'fromUnixTimestamp64Micro({sinceUs:Int64})';
/** What says another day than the one it is filed under comes of a wrong clock. */
const IN_SCOPE = `day >= toDate(${SINCE}) AND (batch_ts >= ${SINCE} OR toDate(batch_ts) != day) AND ${ASKED_FOR}`;
const PLACE = 'origin, origin_partition, origin_offset';
/** As forgotten_rows has it. */
const HASHED_PLACE = 'sipHash64(toString(origin)) AS origin_hash, origin_partition, origin_offset';
const RUN = 'host_id, toUnixTimestamp64Micro(agent_epoch) AS run';

interface PlaceRow {
  readonly origin: string;
  readonly origin_partition: number;
  readonly origin_offset: number;
  readonly host_id: string;
  readonly run: number;
  readonly batch_seq: number;
}

const at = (row: PlaceRow): Omit<Finding, 'kind' | 'what'> => ({
  origin: row.origin,
  partition: row.origin_partition,
  first: row.origin_offset,
  last: row.origin_offset,
  host: row.host_id,
  run: row.run,
});

export async function heldIn({ database, query }: ClickHouse, scope: Scope): Promise<Held> {
  const [row] = await query<Held>(
    `SELECT count() AS batches, sum(events) AS rows, uniqExact(host_id) AS hosts
     FROM ${database}.tcp_batches WHERE ${IN_SCOPE}`,
    { ...scope },
  );
  return row ?? { batches: 0, rows: 0, hosts: 0 };
}

/** Throws CLICKHOUSE_*. */
export async function checkTable(clickhouse: ClickHouse, scope: Scope): Promise<readonly Finding[]> {
  return [
    ...(await rowsOfBatches(clickhouse, scope)),
    ...(await rowsWithoutBatch(clickhouse, scope)),
    ...(await placesTwice(clickhouse, scope)),
    ...(await wholes(clickhouse, scope)),
    ...(await numbers(clickhouse, scope)),
    ...(await parked(clickhouse, scope)),
  ];
}

/** Batches whose rows, with those that were forgotten, are not as many as it had events. */
async function rowsOfBatches({ database, query }: ClickHouse, scope: Scope): Promise<readonly Finding[]> {
  const rows = await query<PlaceRow & { said: number; held: number }>(
    `SELECT ${PLACE}, host_id, run, batch_seq, said, held
     FROM
     (
         SELECT ${PLACE}, ${RUN}, batch_seq, events AS said FROM ${database}.tcp_batches
         WHERE ${IN_SCOPE} LIMIT 1 BY ${PLACE}
     ) AS batch
     LEFT JOIN
     (
         SELECT ${PLACE}, count() AS held FROM ${database}.tcp_events
         WHERE day >= toDate(${SINCE}) - ${DAYS_AROUND}
         GROUP BY ${PLACE}
     ) AS event USING (${PLACE})
     LEFT JOIN
     (
         SELECT origin_hash, origin_partition AS partition, origin_offset AS offset, uniqExact(cpu, seq) AS forgotten
         FROM ${database}.forgotten_rows
         WHERE stored_in = 'tcp_events' AND (origin_hash, origin_partition, origin_offset, cpu, seq) NOT IN
         (
             SELECT ${HASHED_PLACE}, cpu, seq FROM ${database}.tcp_events
             WHERE (origin_partition, origin_offset) IN (SELECT origin_partition, origin_offset FROM ${database}.forgotten_rows)
         )
         GROUP BY ALL
     ) AS gone ON gone.origin_hash = sipHash64(toString(batch.origin))
         AND gone.partition = batch.origin_partition AND gone.offset = batch.origin_offset
     WHERE said != held + forgotten ORDER BY ${PLACE} LIMIT ${LISTED_MAX}`,
    { ...scope },
  );
  return rows.map((row) => ({
    kind: 'rows',
    ...at(row),
    what: `batch ${row.batch_seq} had ${row.said} events, and the table holds ${row.held} rows of it`,
  }));
}

/** An INSERT of events whose batch never followed; events go first. */
async function rowsWithoutBatch({ database, query }: ClickHouse, scope: Scope): Promise<readonly Finding[]> {
  const rows = await query<PlaceRow & { held: number }>(
    `SELECT ${PLACE}, any(host_id) AS host_id, any(run) AS run, any(batch_seq) AS batch_seq, count() AS held
     FROM
     (
         SELECT ${PLACE}, ${RUN}, batch_seq FROM ${database}.tcp_events
         WHERE day >= toDate(${SINCE}) AND ${ASKED_FOR}
     )
     WHERE (${PLACE}) NOT IN
     (
         SELECT ${PLACE} FROM ${database}.tcp_batches
         WHERE day >= toDate(${SINCE}) - ${DAYS_AROUND}
     )
     AND (sipHash64(toString(origin)), origin_partition, origin_offset) NOT IN
     (
         SELECT origin_hash, origin_partition, origin_offset FROM ${database}.forgotten_rows
         WHERE stored_in = 'tcp_batches'
     )
     GROUP BY ${PLACE} ORDER BY ${PLACE} LIMIT ${LISTED_MAX}`,
    { ...scope },
  );
  return rows.map((row) => ({
    kind: 'rows',
    ...at(row),
    what: `the table holds ${row.held} rows of batch ${row.batch_seq}, and not the batch`,
  }));
}

async function placesTwice({ database, query }: ClickHouse, scope: Scope): Promise<readonly Finding[]> {
  const rows = await query<PlaceRow & { n: number }>(
    `SELECT ${PLACE}, any(host_id) AS host_id, any(run) AS run, any(batch_seq) AS batch_seq, count() AS n
     FROM (SELECT ${PLACE}, ${RUN}, batch_seq FROM ${database}.tcp_batches WHERE ${IN_SCOPE})
     GROUP BY ${PLACE} HAVING n > 1 ORDER BY ${PLACE} LIMIT ${LISTED_MAX}`,
    { ...scope },
  );
  return rows.map((row) => ({
    kind: 'overlap',
    ...at(row),
    what: `batch ${row.batch_seq} stands ${row.n} times in the table, from one message`,
  }));
}

/** Part p is half of part p/2: the parts of a batch that is there once add up to one. */
async function wholes({ database, query }: ClickHouse, scope: Scope): Promise<readonly Finding[]> {
  const rows = await query<PlaceRow & { whole: number; places: readonly string[] }>(
    `SELECT host_id, run, batch_seq, any(origin) AS origin, 0 AS origin_partition, batch_seq AS origin_offset,
            sum(exp2(-floor(log2(batch_part)))) AS whole,
            arraySort(groupUniqArray(5)(concat(toString(origin_partition_), ' ', toString(origin_offset_)))) AS places
     FROM
     (
         SELECT DISTINCT ${RUN}, boot_id, batch_seq, batch_part, origin,
                origin_partition AS origin_partition_, origin_offset AS origin_offset_
         FROM ${database}.tcp_batches WHERE ${IN_SCOPE}
     )
     GROUP BY host_id, boot_id, run, batch_seq
     HAVING whole > 1 OR (whole < 1 AND (host_id, run, batch_seq) NOT IN
         (SELECT host_id, toUnixTimestamp64Micro(agent_epoch), batch_seq FROM ${database}.tcp_parked FINAL))
     ORDER BY host_id, run, batch_seq LIMIT ${LISTED_MAX}`,
    { ...scope },
  );
  return rows.map((row) => ({
    kind: row.whole > 1 ? 'overlap' : 'gap',
    ...at(row),
    partition: null,
    what:
      row.whole > 1
        ? `batch ${row.batch_seq} is stored more than once: from partition and offset ${row.places.join(', ')}`
        : `of batch ${row.batch_seq}, which was split, a part is missing: there is partition and offset ${row.places.join(', ')}`,
  }));
}

/** Numbers of a run between stored, parked or forgotten ones, and before the first of a run that began within the scope. */
async function numbers({ database, query }: ClickHouse, scope: Scope): Promise<readonly Finding[]> {
  const rows = await query<{
    host_id: string;
    run: number;
    origin: string;
    first: number;
    last: number;
    dropped: number;
  }>(
    `SELECT host_id, run, origin, before + 1 AS first, seq - 1 AS last, counted - counted_before AS dropped
     FROM
     (
         SELECT host_id, run, seq, origin, counted,
                lagInFrame(seq, 1, toInt64(-1)) OVER run_order AS lagged,
                if(lagged >= 0, lagged, if(run >= {sinceUs:Int64}, 0, seq - 1)) AS before,
                lagInFrame(counted, 1, toInt64(0)) OVER run_order AS counted_before
         FROM
         (
             SELECT host_id, run, toInt64(batch_seq) AS seq, max(origin) AS origin, toInt64(max(dropped)) AS counted
             FROM
             (
                 SELECT ${RUN}, batch_seq, toString(origin) AS origin, arraySum(cpus.spool_dropped) AS dropped
                 FROM ${database}.tcp_batches WHERE ${IN_SCOPE}
                 UNION ALL
                 SELECT host_id, toUnixTimestamp64Micro(agent_epoch) AS run, batch_seq, '' AS origin, 0 AS dropped
                 FROM ${database}.tcp_parked FINAL
                 WHERE (host_id, run) IN (SELECT ${RUN} FROM ${database}.tcp_batches WHERE ${IN_SCOPE})
                 UNION ALL
                 SELECT host_id, toUnixTimestamp64Micro(agent_epoch) AS run, batch_seq, '' AS origin, 0 AS dropped
                 FROM ${database}.forgotten_rows
                 INNER JOIN
                 (
                     SELECT DISTINCT host_id, arrayJoin([toString(boot_id), '']) AS boot, sipHash64(toString(host_id), boot) AS host_hash
                     FROM ${database}.tcp_batches WHERE ${IN_SCOPE}
                 ) AS host USING (host_hash)
                 WHERE stored_in != 'tcp_events'
             )
             GROUP BY host_id, run, batch_seq
         )
         WINDOW run_order AS (
             PARTITION BY host_id, run ORDER BY seq ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
     )
     WHERE seq > before + 1
     ORDER BY host_id, run, first LIMIT ${LISTED_MAX}`,
    { ...scope },
  );
  return rows.map(({ host_id, run, origin, first, last, dropped }) => {
    const name = first === last ? `batch ${first}` : `batches ${first} to ${last}`;
    return {
      kind: dropped > 0 ? 'dropped' : 'gap',
      origin,
      partition: null,
      first,
      last,
      host: host_id,
      run,
      what:
        dropped > 0
          ? `${name} of the run did not come; its agent counted ${dropped} events that a full spool dropped`
          : `${name} of the run did not come, and nothing tells why`,
    };
  });
}

async function parked({ database, query }: ClickHouse, scope: Scope): Promise<readonly Finding[]> {
  const rows = await query<PlaceRow & { reason: string }>(
    `SELECT ${PLACE}, host_id, toUnixTimestamp64Micro(agent_epoch) AS run, batch_seq, reason
     FROM ${database}.tcp_parked FINAL
     WHERE parked_ts >= ${SINCE}
       AND (empty({hosts:Array(String)}) OR host_id IN {hosts:Array(String)})
       AND ({topic:String} = '' OR startsWith(origin, concat({topic:String}, '@')))
       AND (${PLACE}) NOT IN (SELECT ${PLACE} FROM ${database}.tcp_parked_outcomes)
       AND (${PLACE}) NOT IN (SELECT ${PLACE} FROM ${database}.tcp_batches)
     ORDER BY ${PLACE} LIMIT ${LISTED_MAX}`,
    { ...scope },
  );
  return rows.map((row) => ({
    kind: 'parked',
    ...at(row),
    what: `${row.reason}; 'tcptrail dlq' retries or discards it`,
  }));
}
