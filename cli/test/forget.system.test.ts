import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { closeDaysAlone } from '../../consumer/src/keeping.ts';
import { insertParked } from '../../consumer/src/store/parked.ts';
import { cpuAccount } from '../../test/cpu-account.ts';
import { SAMPLE_OWNER } from '../../test/sample-batch.ts';
import { HOST, type MadeEvent, NOW_US, temporaryFolder } from '../../test/spool-writer.ts';
import type { Manifest } from '../src/export/manifest.ts';
import { countMatches, matchesOf } from '../src/forget/matches.ts';
import { hashOf } from '../src/forget/record.ts';
import { removeRows } from '../src/forget/remove-rows.ts';
import { DAY_US, dayOf, type Kept, lines, TODAY, useKeptDatabases, YESTERDAY } from './kept-database.ts';
import { isOneSentence, run } from './run-command.ts';

const createKept = useKeptDatabases();

interface Row {
  readonly table: string;
  readonly day: string;
  readonly rows: number;
  readonly held: number;
}
interface Summary {
  readonly forget_id: string;
  readonly rows: number;
  readonly rows_held: number;
  readonly rows_left: number;
  readonly not_reached: readonly string[];
}

const SECRET = '203.0.113.80';
const OTHER = '198.51.100.7';

interface Batch {
  readonly host?: string;
  readonly tsUs?: number;
  readonly uid?: number;
  readonly peers: readonly string[];
  readonly local?: string;
}

/** Batches of one run a host, with an account that is right; numbers go on from `seq` and `row`. */
function writer(kept: Kept) {
  const at = new Map<string, { seq: number; row: number }>();
  return async ({
    host = HOST,
    tsUs = NOW_US,
    uid = 1000,
    peers,
    local = '10.0.0.1',
  }: Batch): Promise<void> => {
    const { seq, row } = at.get(host) ?? { seq: 0, row: 0 };
    const events = peers.map(
      (address, index): MadeEvent => ({
        seq: row + index + 1,
        role: 1,
        local: { address: local, port: 40_000 + index },
        peer: { address, port: 443 },
      }),
    );
    const last = row + peers.length;
    at.set(host, { seq: seq + 1, row: last });
    await kept.put(
      {
        host_id: host,
        host_name: `${host}.example`,
        agent_epoch: NOW_US - DAY_US,
        kernel_epoch: NOW_US - DAY_US,
        batch_seq: seq + 1,
        batch_ts: tsUs,
        owners: [{ ...SAMPLE_OWNER, uid }],
        cpus: [cpuAccount(0, { seq_last: last, rows: last })],
      },
      events,
      `spool:${host}`,
    );
  };
}

async function forget(
  kept: Kept,
  ...args: readonly string[]
): Promise<{ readonly rows: readonly Row[]; readonly summary: Summary }> {
  const all = await lines<Row & Summary>(['forget', ...kept.at, '--yes', ...args]);
  const summary = all.find((line) => line.forget_id !== undefined);
  assert.ok(summary);
  return { rows: all.filter((line) => line.forget_id === undefined), summary };
}

const completeness = (kept: Kept) =>
  kept.rows(
    'SELECT host_id, rows, stored, missing, forgotten, lost, parked, discarded, verdict, exact FROM {db}.completeness ORDER BY host_id',
  );

const others = (kept: Kept) =>
  kept.rows(`SELECT count() AS n, toString(sum(cityHash64(*))) AS hash FROM {db}.tcp_events
    WHERE peer_address != toIPv6('${SECRET}') AND local_address != toIPv6('${SECRET}')`);

test('rows of an address go at either end, all others stay as they are, and completeness counts them', async () => {
  const kept = await createKept();
  const put = writer(kept);
  await put({ peers: [SECRET, OTHER, SECRET], tsUs: NOW_US - DAY_US });
  await put({ peers: [OTHER, SECRET] });
  await put({ peers: [OTHER], local: SECRET });
  await put({ host: 'host-b', peers: [OTHER, OTHER] });
  const before = await others(kept);
  const plan = await lines<Row>(['forget', ...kept.at, '--address', SECRET, '--plan']);
  const going = [
    ['tcp_events', YESTERDAY, 2],
    ['tcp_events', TODAY, 2],
  ];
  const brief = (rows: readonly Row[]) => rows.map(({ table, day, rows: n }) => [table, day, n]);
  assert.deepEqual(brief(plan), going);
  const done = await forget(kept, '--address', SECRET);
  assert.deepEqual(brief(done.rows), going);
  assert.deepEqual([done.summary.rows, done.summary.rows_left], [4, 0]);
  assert.deepEqual(await others(kept), before);
  const row = { lost: 0, parked: 0, discarded: 0, exact: true };
  assert.deepEqual(await completeness(kept), [
    { host_id: HOST, rows: 6, stored: 2, missing: 4, forgotten: 4, verdict: 'forgotten', ...row },
    { host_id: 'host-b', rows: 2, stored: 2, missing: 0, forgotten: 0, verdict: 'complete', ...row },
  ]);
  const [edge] = await kept.rows(
    `SELECT count() AS n FROM {db}.edges WHERE peer_address = toIPv6('${SECRET}')`,
  );
  assert.deepEqual(edge, { n: 0 });
});

test('the trace names who, when and how many, and the value by a salted hash alone', async () => {
  const kept = await createKept();
  await writer(kept)({ peers: [SECRET, OTHER] });
  const { summary } = await forget(kept, '--address', SECRET);
  const [trace] = await kept.rows<{ salt: string; value_hash: string; [column: string]: unknown }>(
    'SELECT toString(forget_id) AS forget_id, kind, salt, value_hash, toString(before) AS before, rows, rows_held, rows_left, forgotten_by, duration_ms FROM {db}.forgotten',
  );
  assert.ok(trace);
  const { salt, value_hash: valueHash, forgotten_by: by, duration_ms: ms, ...rest } = trace;
  assert.equal(valueHash, hashOf({ kind: 'address', value: SECRET }, Buffer.from(salt, 'hex')));
  assert.match(String(by), /@/);
  assert.ok(Number(ms) > 0);
  assert.deepEqual(rest, {
    forget_id: summary.forget_id,
    kind: 'address',
    before: '1970-01-01',
    rows: { tcp_events: 1 },
    rows_held: 0,
    rows_left: 0,
  });
  for (const table of ['forgotten', 'forgotten_rows']) {
    const text = JSON.stringify(await kept.rows(`SELECT * FROM {db}.${table}`));
    for (const known of [SECRET, HOST, '10.0.0.1']) assert.ok(!text.includes(known), `${table}: ${known}`);
  }
});

test('the parts hold the bytes no more', async () => {
  const kept = await createKept();
  await writer(kept)({ peers: [...Array.from({ length: 500 }, () => SECRET), OTHER] });
  const parts = () =>
    kept.rows<{ rows: number; size: number; masked: number }>(
      `SELECT sum(rows) AS rows, sum(data_uncompressed_bytes) AS size, sum(has_lightweight_delete) AS masked
       FROM system.parts WHERE database = '{db}' AND table = 'tcp_events' AND active`,
    );
  const [before] = await parts();
  await forget(kept, '--address', SECRET);
  const [after] = await parts();
  assert.deepEqual([after?.rows, after?.masked], [1, 0]);
  assert.ok(Number(after?.size) < Number(before?.size) / 10, JSON.stringify([before, after]));
});

test('a user is forgotten up to a day', async () => {
  const kept = await createKept();
  const put = writer(kept);
  await put({ peers: [OTHER, OTHER], uid: 1001, tsUs: NOW_US - DAY_US });
  await put({ peers: [OTHER], uid: 1002, tsUs: NOW_US - DAY_US });
  await put({ peers: [OTHER], uid: 1001 });
  const { rows } = await forget(kept, '--uid', '1001', '--before', TODAY);
  assert.deepEqual(rows, [{ table: 'tcp_events', day: YESTERDAY, rows: 2, held: 0 }]);
  const left = await kept.rows('SELECT uid, count() AS n FROM {db}.tcp_events GROUP BY uid ORDER BY uid');
  assert.deepEqual(left, [
    { uid: 1001, n: 1 },
    { uid: 1002, n: 1 },
  ]);
});

test('a host is forgotten with its batches and what is parked of it; when it goes on nothing counts as lost', async () => {
  const kept = await createKept();
  const put = writer(kept);
  await put({ peers: [OTHER, OTHER], tsUs: NOW_US - DAY_US });
  await put({ host: 'host-b', peers: [OTHER] });
  for (const [hostId, offset] of [
    [HOST, 90],
    ['host-b', 91],
  ] as const)
    await insertParked(kept.clickhouse, [
      {
        origin: 'topic',
        originPartition: 0,
        originOffset: offset,
        identity: { hostId, agentEpoch: NOW_US - DAY_US, batchSeq: 2 },
        reason: 'SEGMENT_CORRUPT',
        detail: '',
      },
    ]);
  const { rows } = await forget(kept, '--host', `${HOST}.example`);
  assert.deepEqual(rows, [
    { table: 'tcp_events', day: YESTERDAY, rows: 2, held: 0 },
    { table: 'tcp_batches', day: YESTERDAY, rows: 1, held: 0 },
    { table: 'tcp_parked', day: TODAY, rows: 1, held: 0 },
  ]);
  const [parked] = await kept.rows('SELECT groupArray(host_id) AS hosts FROM {db}.tcp_parked');
  assert.deepEqual(parked, { hosts: ['host-b'] });
  // Batch 2 of the run, which was parked, held three rows.
  await kept.put(
    {
      host_id: HOST,
      agent_epoch: NOW_US - DAY_US,
      kernel_epoch: NOW_US - DAY_US,
      batch_seq: 3,
      cpus: [cpuAccount(0, { seq_last: 6, rows: 6 })],
    },
    [{ seq: 6 }],
    `spool:${HOST}`,
  );
  const [row] = await completeness(kept);
  assert.deepEqual(row, {
    host_id: HOST,
    rows: 6,
    stored: 1,
    missing: 5,
    forgotten: 2,
    lost: 0,
    parked: 0,
    discarded: 3,
    verdict: 'discarded',
    exact: true,
  });
});

test('killed between the trace and the deletion nothing is miscounted, and the next one finishes', async () => {
  const kept = await createKept();
  await writer(kept)({ peers: [SECRET, OTHER, SECRET] });
  const { clickhouse } = kept;
  const reached = Promise.withResolvers<void>();
  const dying = {
    ...clickhouse,
    async statement(sql: string) {
      if (!sql.startsWith('ALTER')) return await clickhouse.statement(sql);
      reached.resolve();
      return await new Promise<void>(() => {});
    },
  };
  const [match] = await matchesOf(clickhouse, { subject: { kind: 'address', value: SECRET } }, []);
  assert.ok(match);
  const found = await countMatches(clickhouse, [match]);
  void removeRows(dying, match, { found, forgetId: '00000000-0000-0000-0000-000000000001' });
  await reached.promise;
  const [traces] = await kept.rows('SELECT count() AS n FROM {db}.forgotten_rows');
  assert.deepEqual(traces, { n: 2 });
  const counts = async () => {
    const [row] = await completeness(kept);
    return [row?.['stored'], row?.['forgotten'], row?.['verdict'], row?.['exact']];
  };
  assert.deepEqual(await counts(), [3, 0, 'complete', true]);
  await forget(kept, '--address', SECRET);
  assert.deepEqual(await counts(), [1, 2, 'forgotten', true]);
});

test('sums of closed days are summed anew; where the events aged away those that name the address go', async () => {
  const kept = await createKept();
  const put = writer(kept);
  const old = dayOf(NOW_US - 2 * DAY_US);
  await put({ peers: [SECRET, OTHER], tsUs: NOW_US - 2 * DAY_US });
  await put({ peers: [SECRET, OTHER, OTHER], tsUs: NOW_US - DAY_US });
  // Yesterday is over.
  await closeDaysAlone(kept.clickhouse, NOW_US / 1000 + DAY_US / 1000);
  await kept.sql(`ALTER TABLE {db}.tcp_events DROP PARTITION '${old}'`);
  const sums = (view: string) =>
    kept.rows(`SELECT toString(day) AS day, sum(events) AS n FROM {db}.${view} GROUP BY day ORDER BY day`);
  const { rows, summary } = await forget(kept, '--address', SECRET);
  assert.deepEqual(
    rows.map(({ table, day, rows: n }) => [table, day, n]),
    [
      ['tcp_events', YESTERDAY, 1],
      ['tier_edges', old, 1],
      ['tier_edges', YESTERDAY, 1],
    ],
  );
  const closed = await kept.rows(
    'SELECT toString(tier) AS tier, toString(day) AS day, rows FROM {db}.closed_days ORDER BY closed_days.tier, day',
  );
  assert.deepEqual(
    closed.filter(({ day }) => day === YESTERDAY),
    ['5m', '1h', 'edges'].map((tier) => ({ tier, day: YESTERDAY, rows: 2 })),
  );
  for (const view of ['tier_5m', 'tier_1h', 'tier_edges']) {
    const [day] = (await sums(view)).filter((each) => each['day'] === YESTERDAY);
    assert.deepEqual(day, { day: YESTERDAY, n: 2 }, view);
  }
  const [oldEdges] = (await sums('tier_edges')).filter((each) => each['day'] === old);
  assert.deepEqual(oldEdges, { day: old, n: 1 });
  assert.ok(summary.not_reached.some((text) => text.startsWith('1 day without events: the sums in tier_5m')));
});

test('where raw rows are kept longer old ones go, each counted once, and days that are not summed anew are named', async () => {
  const kept = await createKept();
  const put = writer(kept);
  const old = dayOf(NOW_US - 20 * DAY_US);
  await kept.sql('ALTER TABLE {db}.tcp_events MODIFY TTL day + INTERVAL 30 DAY');
  await kept.sql('ALTER TABLE {db}.tcp_batches MODIFY TTL day + INTERVAL 30 DAY');
  await put({ peers: [SECRET, OTHER], tsUs: NOW_US - 20 * DAY_US });
  // As it was closed when it was over.
  await closeDaysAlone(kept.clickhouse, NOW_US / 1000 - (18 * DAY_US) / 1000);
  const { rows, summary } = await forget(kept, '--address', SECRET);
  assert.deepEqual(
    rows.filter(({ table }) => table === 'tcp_events'),
    [{ table: 'tcp_events', day: old, rows: 1, held: 0 }],
  );
  assert.equal(summary.rows_left, 0);
  assert.ok(
    summary.not_reached.some((text) =>
      text.startsWith(`${old}, too old to be summed anew: the sums in tier_5m`),
    ),
    JSON.stringify(summary.not_reached),
  );
  await kept.sql('OPTIMIZE TABLE {db}.forgotten_rows FINAL');
  const [row] = await completeness(kept);
  assert.deepEqual([row?.['stored'], row?.['forgotten'], row?.['verdict']], [1, 1, 'forgotten']);
});

test('exports are written again without the rows, their manifests say so, and other files stay byte for byte', async () => {
  const kept = await createKept();
  const put = writer(kept);
  const folder = temporaryFolder();
  await put({ peers: [SECRET, OTHER], tsUs: NOW_US - DAY_US });
  await put({ peers: [OTHER] });
  const files = await lines<{ file: string; table: string; day: string }>([
    ...['export', ...kept.at, '--to', folder, '--day', `${YESTERDAY}..${TODAY}`],
  ]);
  const at = (table: string, day: string): string => {
    const found = files.find((each) => each.table === table && each.day === day);
    assert.ok(found);
    return found.file;
  };
  const bytesOf = () => files.map(({ file }) => readFileSync(file).toString('base64'));
  const before = bytesOf();
  const { rows, summary } = await forget(kept, '--address', SECRET, '--export', folder);
  const changed = at('tcp_events', YESTERDAY);
  assert.deepEqual(rows.at(-1), { table: changed, day: YESTERDAY, rows: 1, held: 0 });
  assert.equal(summary.rows, 2);
  const after = bytesOf();
  assert.deepEqual(
    files.filter((_file, index) => before[index] !== after[index]).map(({ file }) => file),
    [changed],
  );
  const manifest: Manifest = JSON.parse(readFileSync(changed.replace('.parquet', '.json'), 'utf8'));
  assert.deepEqual([manifest.rows, manifest.forgotten_rows], [1, 1]);
  const again = await lines<{ state: string }>([
    ...['export', ...kept.at, '--to', folder, '--day', `${YESTERDAY}..${TODAY}`],
  ]);
  assert.ok(again.every(({ state }) => state === 'kept'));
  const plan = await lines<Row>(['forget', ...kept.at, '--address', SECRET, '--export', folder, '--plan']);
  assert.deepEqual(plan, []);
  const none = await run(['forget', ...kept.at, '--address', SECRET, '--export', temporaryFolder()]);
  assert.equal(none.code, 2);
  assert.ok(isOneSentence(none.stderr), none.stderr);
});

test('holds that name it, and what was imported, are named as not reached', async () => {
  const kept = await createKept();
  const put = writer(kept);
  await put({ peers: [SECRET] });
  const reached = await forget(kept, '--address', SECRET);
  assert.ok(!reached.summary.not_reached.some((text) => /holds|imported/.test(text)));
  await put({ peers: [SECRET] });
  const other = `import_of_${kept.name}`;
  await kept.sql(`CREATE DATABASE ${other}`);
  await kept.sql(
    `INSERT INTO {db}.holds (hold_id, kind, value, reason, until, version) VALUES ('old', 'address', '${SECRET}', 'a case', '${YESTERDAY}', 1)`,
  );
  const { summary } = await forget(kept, '--address', SECRET);
  await kept.sql(`DROP DATABASE ${other}`);
  const said = summary.not_reached.filter((text) => /holds names|imported/.test(text));
  assert.deepEqual(said, [
    `what was imported stands in ${other}: run the same with --database for each`,
    '1 row of the table holds names it',
  ]);
});

test('what is asked wrongly, or not confirmed, removes nothing', async () => {
  const kept = await createKept();
  await writer(kept)({ peers: [SECRET] });
  const before = await kept.sumOf('tcp_events');
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /give one of --address, --host and --uid/],
    [['--address', '0:0::0'], /it stands for no address/],
    [['--address', 'nowhere'], /give an IPv4 or IPv6 address/],
    [['--address', SECRET, '--uid', '5'], /cannot be used with/],
    [['--address', SECRET], /asks before it does; without a terminal give --yes/],
  ];
  for (const [args, problem] of wrong) {
    const ended = await run(['forget', ...kept.at, ...args]);
    assert.equal(ended.code, 2, ended.stderr);
    assert.ok(isOneSentence(ended.stderr), ended.stderr);
    assert.match(ended.stderr, problem);
  }
  assert.deepEqual(await kept.sumOf('tcp_events'), before);
  const nobody = await run(['forget', ...kept.at, '--address', '192.0.2.99']);
  assert.equal(nobody.code, 0, nobody.stderr);
  assert.match(nobody.stdout, /^0 rows forgotten/);
});
