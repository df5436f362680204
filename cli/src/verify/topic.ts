/** What Kafka holds against what ClickHouse holds of it, partition by partition. */
import { BATCH_COLUMNS, batchName } from '@tcptrail/consumer/store/batch-name.ts';
import type { ClickHouse } from '@tcptrail/consumer/store/clickhouse.ts';
import type { Batch } from '@tcptrail/consumer/store/range.ts';
import { storedNames } from '@tcptrail/consumer/store/repeats.ts';
import type { Admin } from '@tcptrail/kafka/admin.ts';
import { withAdmin } from '@tcptrail/kafka/admin.ts';
import { createKafka } from '@tcptrail/kafka/client.ts';
import type { KafkaConfig } from '@tcptrail/kafka/config.ts';
import { groupLag, type PartitionLag } from '@tcptrail/kafka/lag.ts';
import { readOrigin } from '@tcptrail/kafka/origin.ts';
import { type OffsetRange, readRanges } from '@tcptrail/kafka/read-ranges.ts';
import { partsAbove } from '@tcptrail/schemas/split-batch.ts';
import { read } from '../dlq/reading.ts';
import { type Finding, LISTED_MAX, type Scope } from './finding.ts';

export interface TopicAsked {
  readonly kafka: KafkaConfig;
  readonly group: string;
  readonly clickhouse: ClickHouse;
  readonly scope: Scope;
}

/** Throws KAFKA_*, CLICKHOUSE_*. */
export async function checkTopic(asked: TopicAsked): Promise<readonly Finding[]> {
  const { kafka, group, scope } = asked;
  const client = createKafka(kafka);
  const topic = kafka.topic.events;
  const { origin, lags, since } = await withAdmin(
    kafka,
    async (admin) => ({
      origin: await readOrigin(client, admin, topic),
      lags: await groupLag(admin, kafka, { topic, group }),
      since: await offsetsSince(admin, topic, scope.sinceUs),
    }),
    { client },
  );
  const tops = await storedTops(asked.clickhouse, origin);
  const readMessages = async (ranges: readonly OffsetRange[]): Promise<readonly Seen[]> => {
    const seen: Seen[] = [];
    await readRanges(client, kafka, { topic, group, ranges }, (partition, message) => {
      const { head } = read({ form: 'message', value: message.value });
      seen.push({ partition, offset: Number(message.offset), head });
    });
    return seen;
  };

  const findings: Finding[] = [];
  const missing: OffsetRange[] = [];
  const newest: OffsetRange[] = [];
  for (const lag of lags) {
    const top = tops.get(lag.partition);
    findings.push(...marks(lag, { origin, top: top?.offset }));
    const from = Math.max(lag.low, since.get(lag.partition) ?? lag.high);
    const until = Math.min(lag.high, nextOf(lag.committed, top?.offset));
    if (until > from)
      missing.push(...(await unstored(asked.clickhouse, { origin, partition: lag.partition, from, until })));
    if (top && top.offset >= lag.low && top.offset < lag.high)
      newest.push({ partition: lag.partition, first: top.offset, last: top.offset });
  }
  for (const { partition, offset, head } of await readMessages(newest)) {
    const there = tops.get(partition)?.name;
    const here = head ? batchName(head) : 'no batch';
    if (there === here) continue;
    const what = `message ${offset} is batch ${here}, and the table has batch ${there} from there: the topic was made anew`;
    findings.push({ ...NOBODY, kind: 'rewind', origin, partition, first: offset, last: offset, what });
  }
  return [...findings, ...(await gaps(asked, { origin, missing, readMessages }))];
}

interface Seen {
  readonly partition: number;
  readonly offset: number;
  /** Undefined where it holds no batch. */
  readonly head: Batch | undefined;
}

const NOBODY = { host: '', run: 0 } as const;

/** What the watermarks alone tell. */
function marks(
  { partition, low, high, committed }: PartitionLag,
  { origin, top }: { readonly origin: string; readonly top: number | undefined },
): readonly Finding[] {
  const findings: Finding[] = [];
  const found = (kind: Finding['kind'], first: number, last: number, what: string): void => {
    findings.push({ ...NOBODY, kind, origin, partition, first, last, what });
  };
  if (top !== undefined && top >= high)
    found(
      'rewind',
      high,
      top,
      `the table holds offset ${top}, and the topic ends before ${high}: the brokers lost messages, or it was made anew`,
    );
  else if (top !== undefined && committed !== undefined && committed <= top)
    found(
      'rewind',
      committed,
      top,
      `the group stands at ${committed}, and the table holds up to ${top}: what is read again is recognised`,
    );
  if (committed !== undefined && committed < low && low > 0 && (top ?? -1) < low - 1)
    found('gap', committed, low - 1, 'these messages aged away before they were stored');
  const next = Math.max(low, nextOf(committed, top));
  if (next < high) found('waiting', next, high - 1, `${high - next} messages are yet to be stored`);
  return findings;
}

/** Where storing goes on: as the group says, or the table where there is none (Lambda). */
const nextOf = (committed: number | undefined, top: number | undefined): number =>
  committed ?? (top ?? -1) + 1;

/** First offsets from that time on. */
async function offsetsSince(
  admin: Admin,
  topic: string,
  sinceUs: number,
): Promise<ReadonlyMap<number, number>> {
  const offsets = await admin.fetchTopicOffsetsByTimestamp(topic, Math.floor(sinceUs / 1000));
  return new Map(offsets.map(({ partition, offset }) => [partition, Number(offset)]));
}

/** By partition: the newest message the table holds, and which batch it is. */
async function storedTops(
  { database, query }: ClickHouse,
  origin: string,
): Promise<ReadonlyMap<number, { offset: number; name: string }>> {
  const rows = await query<Batch & { partition: number; offset: number }>(
    `SELECT ${BATCH_COLUMNS}, origin_partition AS partition, origin_offset AS offset
     FROM ${database}.tcp_batches AS stored
     WHERE origin = {origin:String}
     ORDER BY offset DESC LIMIT 1 BY partition`,
    { origin },
  );
  return new Map(rows.map((row) => [row.partition, { offset: row.offset, name: batchName(row) }]));
}

/** Offsets from `from` to before `until` that the table neither holds nor names as parked or forgotten. */
async function unstored(
  { database, query }: ClickHouse,
  at: { readonly origin: string; readonly partition: number; readonly from: number; readonly until: number },
): Promise<readonly OffsetRange[]> {
  const within =
    'origin = {origin:String} AND origin_partition = {partition:UInt32} AND origin_offset BETWEEN {from:UInt64} AND {until:UInt64}';
  const rows = await query<{ first: number; last: number }>(
    `SELECT before + 1 AS first, offset - 1 AS last
     FROM
     (
         SELECT offset, lagInFrame(offset, 1, toInt64({from:UInt64}) - 1) OVER (
             ORDER BY offset ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS before
         FROM
         (
             SELECT DISTINCT toInt64(origin_offset) AS offset FROM ${database}.tcp_batches WHERE ${within}
             UNION DISTINCT
             SELECT toInt64(origin_offset) FROM ${database}.tcp_parked FINAL WHERE ${within}
             UNION DISTINCT
             SELECT toInt64(origin_offset) FROM ${database}.forgotten_rows
             WHERE stored_in != 'tcp_events' AND ${within.replace('origin = {origin:String}', 'origin_hash = sipHash64({origin:String})')}
             UNION DISTINCT
             SELECT toInt64({until:UInt64})
         )
     )
     WHERE offset > before + 1 ORDER BY first LIMIT ${LISTED_MAX}`,
    at,
  );
  return rows.map(({ first, last }) => ({ partition: at.partition, first, last }));
}

/** Of messages that the table does not hold: those whose batch it does not hold from elsewhere either. */
async function gaps(
  { clickhouse, scope }: TopicAsked,
  at: {
    readonly origin: string;
    readonly missing: readonly OffsetRange[];
    readonly readMessages: (ranges: readonly OffsetRange[]) => Promise<readonly Seen[]>;
  },
): Promise<readonly Finding[]> {
  const { origin, missing } = at;
  const looked = await at.readMessages(
    missing.map(({ first, last, ...rest }) => ({ ...rest, first, last: Math.min(last, first + LISTED_MAX) })),
  );
  const elsewhere = await storedNames(
    clickhouse,
    looked.flatMap(({ head }) => (head ? [head] : [])),
  );
  const isStored = (head: Batch): boolean =>
    partsAbove(head.batch_part).some((part) => elsewhere.has(batchName(head, part)));
  const { hosts } = scope;
  return looked.flatMap(({ partition, offset, head }): Finding[] => {
    if (head && isStored(head)) return [];
    if (hosts.length > 0 && !hosts.includes(head?.host_id ?? '')) return [];
    const what = head
      ? `message ${offset} is batch ${head.batch_seq} of the run, and it is neither stored nor parked`
      : `message ${offset} holds no batch, and it is not parked`;
    const who = head ? { host: head.host_id, run: head.agent_epoch } : NOBODY;
    return [{ kind: 'gap', origin, partition, first: offset, last: offset, ...who, what }];
  });
}
