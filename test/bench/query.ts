/**
 * What a question costs over many events, and what an event costs on the disk: a made fleet's, through the consumer's
 * store, asked with the question library; beside it the same on a naive schema. docs/benchmarks.md describes the fleet.
 */

import { closeDaysAlone } from '@tcptrail/consumer/keeping.ts';
import { migrate } from '@tcptrail/consumer/migrate/migrate.ts';
import { type ClickHouse, createClickHouse } from '@tcptrail/consumer/store/clickhouse.ts';
import { createFleet } from '../fleet/fleet.ts';
import { startServer } from '../harness/server.ts';
import { median } from './agent/median.ts';
import { fillEdges } from './query/edges.ts';
import { fill, settled } from './query/fill.ts';
import { fillNaive } from './query/naive.ts';
import { askedOf, type Cost, costOf, HEAVIEST } from './query/questions.ts';
import { sizesOf } from './query/sizes.ts';

const isQuick = Boolean(process.env['QUICK']);
const ROWS = isQuick ? 300_000 : Number(process.env['ROWS'] ?? 10_000_000);
const EDGE_CONNECTIONS = isQuick ? 3_000_000 : Math.max(10 * ROWS, 1_000_000_000);
const DAYS = 6;
const DAY_US = 86_400e6;
const SEED = 8;
const SAMPLE_ROWS = 300_000;

const nowMs = Date.now();
const untilUs = nowMs * 1000;
const fromUs = Math.floor(untilUs / DAY_US) * DAY_US - DAYS * DAY_US;
const begun = performance.now();
const say = (text: string): void =>
  console.error(`${Math.round((performance.now() - begun) / 1000)} s: ${text}`);
const every = (parts: number): ((done: number, all: number, what: string) => void) => {
  let told = 0;
  return (done, all, what) => {
    const part = Math.floor((done / all) * parts);
    if (part > told) say(`${what}: ${done.toLocaleString('en')} of ${all.toLocaleString('en')}`);
    told = Math.max(told, part);
  };
};

const server = await startServer();
const clickhouses: ClickHouse[] = [];
try {
  const tcptrail = await database('tcptrail');
  const progress = every(20);
  const rows = await fill(tcptrail, createFleet({ seed: SEED, fromUs, untilUs, rows: ROWS }), (done) =>
    progress(done, ROWS, 'events'),
  );
  const filledS = (performance.now() - begun) / 1000;
  await settled(tcptrail);
  say(`${rows} events are stored and merged`);
  const closing = performance.now();
  // As it is done day by day.
  const closed = [];
  for (let daysAgo = DAYS; daysAgo >= 0; daysAgo--)
    closed.push(...(await closeDaysAlone(tcptrail, nowMs - daysAgo * (DAY_US / 1000))));
  const closeS = (performance.now() - closing) / 1000;
  await settled(tcptrail);
  say(`${closed.length} days of tiers in ${Math.round(closeS)} s`);

  const disk = {
    events: await sizesOf(tcptrail, 'tcp_events'),
    batches: await sizesOf(tcptrail, 'tcp_batches'),
    tier_5m: await sizesOf(tcptrail, 'tier_5m'),
    tier_1h: await sizesOf(tcptrail, 'tier_1h'),
    tier_edges: await sizesOf(tcptrail, 'tier_edges'),
  };
  const [days] = await tcptrail.query<{ rows: number; bytes: number }>(
    `SELECT sum(rows) AS rows, sum(data_compressed_bytes) AS bytes FROM system.parts
     WHERE active AND database = 'tcptrail' AND table = 'tcp_events'
         AND max_date IN (SELECT day FROM tcptrail.closed_days)`,
  );
  const rollupShare = (disk.tier_5m.on_disk + disk.tier_1h.on_disk) / (days?.bytes ?? Number.NaN);

  const asked = askedOf({ nowMs, communityId: await someCommunityId(tcptrail) });
  const questions: Record<string, Cost> = {};
  const failed: Record<string, string> = {};
  for (const one of asked) {
    try {
      questions[one.name] = await costOf({ client: server.client, database: 'tcptrail' }, one, nowMs);
      say(`${one.name}: ${JSON.stringify(questions[one.name])}`);
    } catch (error) {
      failed[one.name] = String(error).slice(0, 120);
      say(`${one.name} failed: ${failed[one.name]}`);
    }
  }
  const heaviest = await costOf({ client: server.client, database: 'tcptrail' }, HEAVIEST, nowMs);
  say(`the heaviest hitter: ${JSON.stringify(heaviest)}`);

  const view = await viewCost(tcptrail);
  say(`the view connections, an hour of it: ${JSON.stringify(view)}`);

  const naive = await database('naive');
  const copied = every(10);
  await fillNaive(naive, 'tcptrail', (hours, of) => copied(hours, of, 'hours of the naive schema'));
  await settled(naive);
  const naiveDisk = await sizesOf(naive, 'tcp_events');
  const ratios: Record<string, number> = {};
  for (const one of asked) {
    const cost = await costOf({ client: server.client, database: 'naive' }, one, nowMs).catch(
      (error: unknown) => {
        say(`naive ${one.name} failed: ${String(error).slice(0, 200)}`);
        return undefined;
      },
    );
    if (!cost) continue;
    ratios[one.name] = round(cost.ms_p50 / (questions[one.name]?.ms_p50 ?? Number.NaN));
    say(`naive ${one.name}: ${JSON.stringify(cost)}`);
  }
  await naive.statement('DROP DATABASE naive');

  const turned = every(10);
  const edges = await fillEdges(tcptrail, EDGE_CONNECTIONS, (turn, turns) =>
    turned(turn, turns, 'turns of edges'),
  );
  await settled(tcptrail);
  const ever: Record<string, Cost> = {};
  for (const [name, one] of Object.entries({ tail: asked[1], heaviest: HEAVIEST }))
    if (one) ever[name] = await costOf({ client: server.client, database: 'tcptrail' }, one, nowMs);

  const each = Object.values(questions);
  console.log(
    JSON.stringify({
      rows,
      ms_median: median(each.map(({ ms_p50 }) => ms_p50)),
      ms_worst: Math.max(...each.map(({ ms_worst }) => ms_worst)),
      ms_cold_median: median(each.map(({ ms_cold }) => ms_cold)),
      ms_cold_worst: Math.max(...each.map(({ ms_cold }) => ms_cold)),
      peer_ever_ms: questions['who-talked-to']?.ms_p50,
      peer_ever_heaviest_ms: heaviest.ms_p50,
      bytes_per_event: round(disk.events.columns / rows),
      entropy_bytes_per_event: round(entropy()),
      bytes_per_event_with: {
        indices: round(disk.events.indices / rows),
        projections: round(disk.events.projections / rows),
        batches: round(disk.batches.on_disk / rows),
        edges: round(disk.tier_edges.on_disk / (days?.rows ?? Number.NaN)),
      },
      rollup_share: round(rollupShare),
      naive_bytes_per_event: round(naiveDisk.columns / rows),
      naive_ratio_disk: round(naiveDisk.columns / disk.events.columns),
      naive_ratio_median: round(median(Object.values(ratios))),
      naive_ratios: ratios,
      fill_s: round(filledS),
      close_days_s: round(closeS),
      view_connections: view,
      disk,
      questions,
      failed,
      ever_over_edges: { ...edges, ...ever },
    }),
  );
} finally {
  for (const clickhouse of clickhouses) await clickhouse.close();
  await server.stop();
}

async function database(name: string): Promise<ClickHouse> {
  const clickhouse = createClickHouse({
    url: server.url,
    username: 'default',
    password: '',
    database: name,
    requestWaitMsMax: 3_600_000,
  });
  clickhouses.push(clickhouse);
  await migrate(clickhouse);
  return clickhouse;
}

/** Of the view that knows what lives: an hour of it, once; or why not. */
async function viewCost({ query }: ClickHouse): Promise<{ ms: number } | { error: string }> {
  const begun = performance.now();
  try {
    await query(
      `SELECT state, sum(connections) FROM tcptrail.connections WHERE seen_ts >= fromUnixTimestamp64Milli(${nowMs - 3_600_000}) GROUP BY state`,
    );
    return { ms: Math.round(performance.now() - begun) };
  } catch (error) {
    return { error: String(error).slice(0, 120) };
  }
}

async function someCommunityId(clickhouse: ClickHouse): Promise<string> {
  const [row] = await clickhouse.query<{ id: string }>(
    `SELECT community_id AS id FROM tcptrail.tcp_events WHERE kind = 'close' ORDER BY ts LIMIT 1 OFFSET 5000`,
  );
  return row?.id ?? '';
}

/** Information in what was drawn for the events, bytes an event. */
function entropy(): number {
  // As dense as the whole: how long one waits for the next event is information too.
  const spanUs = ((untilUs - fromUs) * SAMPLE_ROWS) / Math.max(ROWS, SAMPLE_ROWS);
  const sample = { fromUs: fromUs + DAY_US / 2, untilUs: fromUs + DAY_US / 2 + spanUs, rows: SAMPLE_ROWS };
  const fleet = createFleet({ seed: SEED, counts: true, ...sample });
  let rows = 0;
  for (const batch of fleet.batches()) rows += batch.rows;
  return fleet.bits / rows / 8;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
