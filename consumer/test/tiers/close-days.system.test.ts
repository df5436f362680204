import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { createFleet } from '../../../test/fleet/fleet.ts';
import { startServer, type TestServer } from '../../../test/harness/server.ts';
import { createRangeDecoder } from '../../src/decode/range.ts';
import { closeDaysAlone } from '../../src/keeping.ts';
import { migrate } from '../../src/migrate/migrate.ts';
import { type ClickHouse, createClickHouse } from '../../src/store/clickhouse.ts';
import { insertBlock } from '../../src/store/insert.ts';

const IS_LONG = process.env['TCPTRAIL_TEST_LONG'] !== undefined;
const DAY_MS = 86_400_000;
const TODAY_MS = Math.floor(Date.now() / DAY_MS) * DAY_MS;
/** Today's afternoon, so that yesterday is over whenever the test runs. */
const NOW_MS = TODAY_MS + 15 * 3_600_000;
const dayOf = (daysAgo: number): string => new Date(TODAY_MS - daysAgo * DAY_MS).toISOString().slice(0, 10);

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server?.stop());

/** What the events themselves say, in other words than views and projections do: what ended are closes, failures and summaries. */
const ENDED = `kind IN ('close', 'fail', 'summary')`;
const BINS = `
  sumIf(connections, ${ENDED}), sumIf(connections, kind = 'fail'), sum(kind = 'half_open'), sum(kind = 'reset'),
  sumIf(bytes_sent, ${ENDED}), sumIf(bytes_received, ${ENDED}), sumIf(data_segs_out, ${ENDED}), sumIf(total_retrans, ${ENDED}),
  sumIf(duration_us, ${ENDED}), sum(handshake_us * connections), sumIf(connections, handshake_us > 0),
  -- Of rows, where each stands for one connection: how many there are of each power of two.
  sumMapIf([toUInt64(floor(log2(greatest(rtt_us, 1))))], [toUInt64(1)], kind = 'close' AND rtt_us > 0).2, uniqCombinedIf(12)(peer_address, ${ENDED})`;
const PORT = `multiIf(role = 'client', peer_port, local_port)`;
const TRUTH = {
  '5m': `SELECT day, toDateTime(intDiv(toUnixTimestamp(ts), 300) * 300, 'UTC'), host_name, executable, role, ${PORT}, own, verdict, errno, count(), ${BINS}`,
  '1h': `SELECT day, toDateTime(intDiv(toUnixTimestamp(ts), 3600) * 3600, 'UTC'), host_name, executable, role, ${PORT}, own, verdict, errno, count(), ${BINS}`,
  edges: `SELECT day, peer_address, host_name, executable, role, ${PORT}, own, count(),
    min(ts), max(ts), sumIf(connections, ${ENDED}), sumIf(connections, kind = 'fail'), sumIf(bytes_sent, ${ENDED}), sumIf(bytes_received, ${ENDED})`,
};
const SUMS = `
  sum(connections), sum(failures), sum(half_open), sum(resets), sum(bytes_sent), sum(bytes_received), sum(data_segs_out),
  sum(total_retrans), sum(duration_us), sum(handshake_us), sum(handshakes),
  arrayFilter(n -> n > 0, sumForEach(rtt_histogram)), uniqCombinedMerge(12)(peers)`;
const KEYS = 'host_name, executable, role, service_port, own';
const TOLD = {
  '5m': `SELECT day, bin, ${KEYS}, verdict, errno, sum(events), ${SUMS} FROM {db}.connections_5m`,
  '1h': `SELECT day, bin, ${KEYS}, verdict, errno, sum(events), ${SUMS} FROM {db}.connections_1h`,
  edges: `SELECT day, peer_address, ${KEYS}, sum(events), min(first_ts), max(last_ts), sum(connections), sum(failures), sum(bytes_sent), sum(bytes_received) FROM {db}.edges`,
};
type Tier = keyof typeof TRUTH;
const TIERS = Object.keys(TRUTH) as Tier[];
const groupOf = (tier: Tier): string =>
  tier === 'edges' ? '1, 2, 3, 4, 5, 6, 7' : '1, 2, 3, 4, 5, 6, 7, 8, 9';

/** Rows of any query as arrays, in order. */
async function arrays({ database }: ClickHouse, sql: string): Promise<readonly (readonly unknown[])[]> {
  const query = sql.replaceAll('{db}', database);
  const result = await server.client.query({ query, format: 'JSONCompactEachRow' });
  return await result.json<unknown[]>();
}

const truth = (clickhouse: ClickHouse, tier: Tier): Promise<readonly (readonly unknown[])[]> =>
  arrays(
    clickhouse,
    `${TRUTH[tier]} FROM {db}.tcp_events GROUP BY ${groupOf(tier)} ORDER BY ${groupOf(tier)} SETTINGS optimize_use_projections = 0`,
  );
const told = (clickhouse: ClickHouse, tier: Tier): Promise<readonly (readonly unknown[])[]> =>
  arrays(clickhouse, `${TOLD[tier]} GROUP BY ${groupOf(tier)} ORDER BY ${groupOf(tier)}`);

async function assertTrue(clickhouse: ClickHouse, when: string): Promise<void> {
  for (const tier of TIERS)
    assert.deepEqual(await told(clickhouse, tier), await truth(clickhouse, tier), `${tier} ${when}`);
}

let databases = 0;
/** Events of a made fleet from the beginning of one day to the beginning of another. */
async function fleet(fromDaysAgo: number, untilDaysAgo: number, rows: number): Promise<ClickHouse> {
  const clickhouse = createClickHouse({
    url: server.url,
    username: 'default',
    password: '',
    database: `tiers_${++databases}`,
    requestWaitMsMax: 60_000,
  });
  after(() => clickhouse.close());
  await migrate(clickhouse);
  // Here events go when a test says so.
  await clickhouse.statement(`ALTER TABLE ${clickhouse.database}.tcp_events REMOVE TTL`);
  const us = (daysAgo: number): number => (TODAY_MS - daysAgo * DAY_MS) * 1000;
  const made = createFleet({ seed: databases, fromUs: us(fromDaysAgo), untilUs: us(untilDaysAgo), rows });
  const decoder = createRangeDecoder();
  const messages = [...made.batches()].map(({ datum }, index) => ({ offset: index + 1, datum }));
  // Some hundred batches an insert, so that there are several parts of a day.
  for (let from = 0; from < messages.length; from += 400) {
    const range = messages.slice(from, from + 400);
    const decoded = decoder.decode({ origin: 'made', originPartition: 0 }, range);
    const offsets = new Set(range.map(({ offset }) => offset));
    for (const day of new Set(decoded.batches.flatMap(({ events }) => [...events.keys()]))) {
      const body = decoded.events(offsets, day) ?? new Uint8Array();
      await insertBlock(clickhouse, { table: 'tcp_events', format: 'Native', body, logComment: 'test' });
    }
  }
  return clickhouse;
}

/** Events that no connection of the made fleet has: folded ones, half-open handshakes, and one of a day to come late. */
const special = ({ database }: ClickHouse, daysAgo: number): string => `
  INSERT INTO ${database}.tcp_events
    (day, ts, host_id, host_name, kind, role, local_port, peer_address, connections, rtt_us, rtt_histogram, handshake_us, bytes_sent, own)
  VALUES
    ('${dayOf(daysAgo)}', '${dayOf(daysAgo)} 10:00:01', 'h', 'host-1', 'summary', 'server', 443, '::1', 5, 100, [0, 2, 3], 70, 500, false),
    ('${dayOf(daysAgo)}', '${dayOf(daysAgo)} 10:00:02', 'h', 'host-1', 'half_open', 'server', 443, '::1', 0, 0, [], 0, 0, false),
    ('${dayOf(daysAgo)}', '${dayOf(daysAgo)} 10:00:03', 'h', 'host-1', 'close', 'client', 443, '::1', 1, 8, [], 0, 1, true)`;

async function closedDays({ query, database }: ClickHouse): Promise<string[]> {
  const rows = await query<{ text: string }>(
    `SELECT concat(toString(tier), ' ', toString(day)) AS text FROM ${database}.closed_days ORDER BY tier, day`,
  );
  return rows.map(({ text }) => text);
}

test('days that are over are read from the tiers, and say what their events say', async () => {
  const clickhouse = await fleet(3, 0, 10_000);
  await assertTrue(clickhouse, 'of open days');
  const closed = await closeDaysAlone(clickhouse, NOW_MS);
  assert.deepEqual(
    closed.map(({ tier, day }) => `${tier} ${day}`),
    TIERS.flatMap((tier) => [3, 2, 1].map((daysAgo) => `${tier} ${dayOf(daysAgo)}`)),
  );
  assert.deepEqual(
    await closedDays(clickhouse),
    closed.map(({ tier, day }) => `${tier} ${day}`),
  );
  await assertTrue(clickhouse, 'of closed days');
  assert.deepEqual(await closeDaysAlone(clickhouse, NOW_MS), [], 'nothing is left to do');
  // That the events themselves are not what is read.
  const before = await told(clickhouse, 'edges');
  await clickhouse.statement(
    `ALTER TABLE ${clickhouse.database}.tier_edges DELETE WHERE day = '${dayOf(2)}' SETTINGS mutations_sync = 1`,
  );
  const left = before.filter(([day]) => day !== dayOf(2));
  assert.ok(left.length < before.length);
  assert.deepEqual(await told(clickhouse, 'edges'), left);
  // As a runner leaves it whose name for a day comes when the next one has taken its rows for unread.
  assert.equal((await closeDaysAlone(clickhouse, NOW_MS)).length, 1);
  await assertTrue(clickhouse, 'written again');
});

for (const daysAgo of [2, 6])
  test(`folded connections, half-open handshakes and late events count, at once and in the tiers, ${daysAgo} days later`, async () => {
    const clickhouse = await fleet(daysAgo, daysAgo - 1, 3_000);
    await closeDaysAlone(clickhouse, NOW_MS);
    await clickhouse.statement(special(clickhouse, daysAgo));
    const histogram = `SELECT sumForEach(rtt_histogram) FROM {db}.connections_5m WHERE host_id = 'h'`;
    const sums = `SELECT sum(connections), sum(half_open), sum(handshake_us), sum(bytes_sent) FROM {db}.connections_1h WHERE host_id = 'h'`;
    assert.deepEqual(await closedDays(clickhouse), [], 'the day is open again');
    for (const when of ['late', 'written again']) {
      assert.deepEqual(await arrays(clickhouse, histogram), [[[0, 2, 3, 1]]], when);
      assert.deepEqual(await arrays(clickhouse, sums), [[6, 1, 350, 501]], when);
      await closeDaysAlone(clickhouse, NOW_MS);
    }
    assert.equal((await closedDays(clickhouse)).length, 3);
    const versions = `SELECT uniqExact(version) FROM {db}.tier_5m`;
    assert.deepEqual(await arrays(clickhouse, versions), [[1]], 'what was written first is gone');
  });

test('a run that is killed at any statement changes no answer, and the next one ends it', async () => {
  const clickhouse = await fleet(1, 0, 600);
  const answers = await Promise.all(TIERS.map((tier) => told(clickhouse, tier)));
  let statements = 0;
  const counting = {
    ...clickhouse,
    statement: (sql: string) => clickhouse.statement(sql).then(() => void statements++),
  };
  await closeDaysAlone(counting, NOW_MS);
  assert.ok(statements >= 6);
  for (let survives = 0; survives < statements; survives++) {
    for (const reaches of IS_LONG ? [false, true] : [survives % 2 === 0]) {
      await clickhouse.statement(`TRUNCATE TABLE ${clickhouse.database}.tier_days`);
      let left = survives;
      const dying: ClickHouse = {
        ...clickhouse,
        async statement(sql) {
          if (left-- > 0) return await clickhouse.statement(sql);
          if (reaches) await clickhouse.statement(sql);
          throw new AppError('CLICKHOUSE_UNREACHABLE', 'killed');
        },
      };
      await assert.rejects(closeDaysAlone(dying, NOW_MS));
      // What it held runs out; here nobody waits for that.
      await dropLocks(clickhouse);
      const when = `killed ${reaches ? 'after' : 'before'} statement ${survives + 1}`;
      for (const [index, tier] of TIERS.entries())
        assert.deepEqual(await told(clickhouse, tier), answers[index], `${tier} ${when}`);
      await closeDaysAlone(clickhouse, NOW_MS);
      for (const [index, tier] of TIERS.entries())
        assert.deepEqual(await told(clickhouse, tier), answers[index], `${tier} ended after ${when}`);
    }
  }
  await closeDaysAlone(clickhouse, NOW_MS);
  for (const tier of TIERS)
    assert.deepEqual(await arrays(clickhouse, `SELECT uniqExact(version) FROM {db}.tier_${tier}`), [[1]]);
});

test('a day outlives its events, which age away part by part; events that a person took out are gone', async () => {
  const clickhouse = await fleet(7, 6, 3_000);
  await closeDaysAlone(clickhouse, NOW_MS - 5 * DAY_MS);
  const answers = await Promise.all(TIERS.map((tier) => told(clickhouse, tier)));
  await clickhouse.statement(
    `ALTER TABLE ${clickhouse.database}.tcp_events DELETE WHERE host_name = 'host-1' SETTINGS mutations_sync = 1`,
  );
  for (const [index, tier] of TIERS.entries()) assert.deepEqual(await told(clickhouse, tier), answers[index]);
  assert.deepEqual(
    await closeDaysAlone(clickhouse, NOW_MS),
    [],
    'what has begun to age away is not written again',
  );

  const recent = await fleet(2, 1, 3_000);
  await closeDaysAlone(recent, NOW_MS);
  await recent.statement(
    `ALTER TABLE ${recent.database}.tcp_events DELETE WHERE host_name = 'host-1' SETTINGS mutations_sync = 1`,
  );
  await assertTrue(recent, 'before it is written again');
  assert.equal((await closeDaysAlone(recent, NOW_MS)).length, 3);
  await assertTrue(recent, 'written again');
});

test('a tier that cannot be written does not keep the others from it', async () => {
  const clickhouse = await fleet(2, 1, 1_000);
  const full: ClickHouse = {
    ...clickhouse,
    async statement(sql) {
      if (/^INSERT INTO \w+\.tier_5m /.test(sql)) throw new AppError('CLICKHOUSE_UNWRITABLE', 'full');
      return await clickhouse.statement(sql);
    },
  };
  await assert.rejects(closeDaysAlone(full, NOW_MS), { code: 'CLICKHOUSE_UNWRITABLE' });
  assert.deepEqual(await closedDays(clickhouse), [`1h ${dayOf(2)}`, `edges ${dayOf(2)}`]);
  await assertTrue(clickhouse, 'one tier short');
});

test('while one runner writes, another leaves it alone', async () => {
  const clickhouse = await fleet(2, 1, 1_000);
  const held = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const slow: ClickHouse = {
    ...clickhouse,
    async statement(sql) {
      if (sql.startsWith('INSERT')) {
        begun.resolve();
        await held.promise;
      }
      return await clickhouse.statement(sql);
    },
  };
  const first = closeDaysAlone(slow, NOW_MS);
  await begun.promise;
  await assert.rejects(closeDaysAlone(clickhouse, NOW_MS), { code: 'ORIGIN_BUSY' });
  held.resolve();
  assert.equal((await first).length, 3);
});

async function dropLocks(clickhouse: ClickHouse): Promise<void> {
  const { database } = clickhouse;
  const tables = await clickhouse.query<{ name: string }>(
    `SELECT name FROM system.tables WHERE database = '${database}' AND name LIKE 'storing_%'`,
  );
  for (const { name } of tables) await clickhouse.statement(`DROP TABLE IF EXISTS ${database}.${name}`);
}
