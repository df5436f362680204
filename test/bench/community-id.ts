/**
 * What finding a connection by its Community ID costs: bytes a row and CPU of the store for what is kept for it, time,
 * rows and bytes of a pivot. Made events through the decoder and the INSERT of the consumer, each way in a database of
 * its own, merged; decision 26 has the figures.
 */
import { readFileSync } from 'node:fs';
import { createRangeDecoder } from '@tcptrail/consumer/decode/range.ts';
import { migrate } from '@tcptrail/consumer/migrate/migrate.ts';
import { type ClickHouse, createClickHouse } from '@tcptrail/consumer/store/clickhouse.ts';
import { insertBlock } from '@tcptrail/consumer/store/insert.ts';
import { rowsRead } from '../harness/rows-read.ts';
import { startServer } from '../harness/server.ts';
import { median } from './agent/median.ts';
import { madeBatches } from './community-id/made-events.ts';

const ROWS = process.env['QUICK'] ? 200_000 : Number(process.env['ROWS'] ?? 3_000_000);
const PIVOTS = 5;
const BATCHES_AN_INSERT = 50;
/** So that all rows are of one day. */
const FROM_US = Math.floor(Date.now() / 86_400_000) * 86_400e6 - 86_400e6;

const HASH = 'reinterpretAsUInt64(substring(base64Decode(substring(community_id, 3)), 1, 8))';
const SHORT = 'reinterpretAsUInt32(substring(base64Decode(substring(community_id, 3)), 1, 4))';
const asked = (of: string): string => of.replaceAll('community_id', '{id:String}');

interface Way {
  /** Each a part of ALTER TABLE tcp_events. */
  readonly alter: readonly string[];
  /** How its rows are found. */
  readonly where: string;
}

const index = (of: string, type: string, granularity: number) =>
  `ADD INDEX pivot ${of} TYPE ${type} GRANULARITY ${granularity}`;
const stored = (type: string, of: string) => `ADD COLUMN hash ${type} MATERIALIZED ${of} CODEC(ZSTD(1))`;
const BY_ID = 'community_id = {id:String}';
const BY_HASH = `hash = ${asked(HASH)} AND ${BY_ID}`;
const BY_SHORT = `hash = ${asked(SHORT)} AND ${BY_ID}`;
const WAYS: Readonly<Record<string, Way>> = {
  computed: { alter: [], where: BY_ID },
  index_g1: { alter: [index('community_id', 'bloom_filter(0.01)', 1)], where: BY_ID },
  index_g4: { alter: [index('community_id', 'bloom_filter(0.01)', 4)], where: BY_ID },
  stored8_bloom: { alter: [stored('UInt64', HASH), index('hash', 'bloom_filter(0.01)', 4)], where: BY_HASH },
  stored4_bloom: {
    alter: [stored('UInt32', SHORT), index('hash', 'bloom_filter(0.01)', 4)],
    where: BY_SHORT,
  },
  stored8_set: { alter: [stored('UInt64', HASH), index('hash', 'set(0)', 4)], where: BY_HASH },
  projection: {
    alter: [stored('UInt64', HASH), 'ADD PROJECTION pivot (SELECT _part_offset ORDER BY hash)'],
    where: BY_HASH,
  },
};

const server = await startServer();
const results: Record<string, unknown> = {};
const only = process.env['WAYS']?.split(',');
try {
  for (const [name, way] of Object.entries(WAYS)) {
    if (only && !only.includes(name)) continue;
    results[name] = await measure(name, way).catch((error: unknown) => String(error).slice(0, 300));
    console.error(`${name}: ${JSON.stringify(results[name])}`);
  }
  console.log(JSON.stringify({ rows: ROWS, ways: results }));
} finally {
  await server.stop();
}

async function measure(name: string, way: Way): Promise<Record<string, number>> {
  const database = `pivot_${name}`;
  const clickhouse = createClickHouse({
    url: server.url,
    username: 'default',
    password: '',
    database,
    requestWaitMsMax: 600_000,
  });
  await migrate(clickhouse);
  const table = `${database}.tcp_events`;
  await clickhouse.statement(`ALTER TABLE ${table} DROP INDEX IF EXISTS community`);
  for (const alter of way.alter) await clickhouse.statement(`ALTER TABLE ${table} ${alter}`);
  const before = cpuUs();
  await insert(clickhouse);
  const inserted = cpuUs();
  await clickhouse.statement(`OPTIMIZE TABLE ${table} FINAL`);
  const merged = cpuUs();
  const [size] = await clickhouse.query<{ bytes: number; parts: number }>(
    `SELECT sum(bytes_on_disk) AS bytes, count() AS parts FROM system.parts WHERE active AND database = '${database}' AND table = 'tcp_events'`,
  );
  const ids = await clickhouse.query<{ id: string }>(
    `SELECT community_id AS id FROM ${table} WHERE seq % ${Math.floor(ROWS / 50 / PIVOTS)} = 7 ORDER BY cityHash64(seq, host_id) LIMIT ${PIVOTS}`,
  );
  const events = await pivots(ids, `SELECT count() AS n FROM ${table} WHERE ${way.where}`);
  const view = await pivots(ids, `SELECT count() AS n FROM ${database}.connections WHERE ${BY_ID}`);
  const figures = {
    bytes_a_row: round((size?.bytes ?? 0) / ROWS),
    parts: size?.parts ?? 0,
    insert_us_a_row: round((inserted - before) / ROWS),
    merge_us_a_row: round((merged - inserted) / ROWS),
    ...prefixed('events', events),
    ...prefixed('connections', view),
  };
  await clickhouse.statement(`DROP DATABASE ${database}`);
  await clickhouse.close();
  return figures;
}

async function insert(clickhouse: ClickHouse): Promise<void> {
  const decoder = createRangeDecoder();
  let held: { offset: number; datum: Uint8Array }[] = [];
  const flush = async (): Promise<void> => {
    const decoded = decoder.decode({ origin: 'bench', originPartition: 0 }, held);
    const offsets = new Set(held.map(({ offset }) => offset));
    const days = new Set(decoded.batches.flatMap(({ events }) => [...events.keys()]));
    for (const day of days) {
      const body = decoded.events(offsets, day) ?? new Uint8Array();
      await insertBlock(clickhouse, { table: 'tcp_events', format: 'Native', body, logComment: 'bench' });
    }
    held = [];
  };
  let offset = 0;
  for (const datum of madeBatches(ROWS, FROM_US)) {
    held.push({ offset: ++offset, datum });
    if (held.length === BATCHES_AN_INSERT) await flush();
  }
  if (held.length > 0) await flush();
}

interface Pivot {
  readonly ms: number;
  readonly rows_read: number;
  readonly bytes_read: number;
}

async function pivots(ids: readonly { readonly id: string }[], query: string): Promise<Pivot> {
  const each: Pivot[] = [];
  for (const { id } of ids) {
    let ms = 0;
    const read = await rowsRead(server.client, async () => {
      const begun = performance.now();
      const result = await server.client.query({ query, query_params: { id }, format: 'JSONEachRow' });
      const [found] = await result.json<{ n: number }>();
      ms = performance.now() - begun;
      if (Number(found?.n) === 0) throw new Error(`${id} was not found`);
    });
    each.push({ ms, rows_read: read.rows, bytes_read: read.bytes });
  }
  const of = (what: keyof Pivot): number => round(median(each.map((one) => one[what])));
  return { ms: of('ms'), rows_read: of('rows_read'), bytes_read: of('bytes_read') };
}

function prefixed(name: string, pivot: Pivot): Record<string, number> {
  return Object.fromEntries(Object.entries(pivot).map(([key, value]) => [`${name}_${key}`, value as number]));
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** CPU time of the server until now, µs. */
function cpuUs(): number {
  const fields = readFileSync(`/proc/${server.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}
