import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VERDICTS } from '@tcptrail/schemas/enums.ts';
import { EVENT_FIELDS } from '@tcptrail/schemas/fields.ts';
import { createRandom, type Random } from '../../../test/random.ts';
import { SINCE_NS, type Values } from '../support/closes.ts';
import type { OracleBatch } from '../support/oracle.ts';
import { CPUS, createReducedBatches } from '../support/reduced-batches.ts';

const EVENTS = process.env['TCPTRAIL_TEST_LONG'] ? 50_000 : 3_000;
const SEEDS = [1, 2, 3, 4];

type Row = Readonly<Record<string, unknown>>;

/** A busy host: some services, many peers, and now and then what is not ordinary. */
function randomRecord(random: Random, cpu: number, seq: number): Values {
  const role = random.pick(['server', 'client']);
  const service = random.pick([443, 5432, 8080]);
  const ephemeral = 32_768 + random.below(20_000);
  const odd = random.below(20) === 0;
  return {
    cpu,
    seq,
    kind: odd ? random.pick(['fail', 'open', 'update', 'retransmit', 'reset', 'close']) : 'close',
    role,
    local_port: role === 'server' ? service : ephemeral,
    peer_port: role === 'server' ? ephemeral : service,
    peer_address: `10.0.0.${random.below(random.pick([3, 200]))}`,
    local_address: random.pick(['10.1.0.1', '10.1.0.2']),
    verdict: odd ? random.pick(VERDICTS) : random.pick(['closed_local', 'closed_peer']),
    total_retrans: random.below(50) === 0 ? 1 + random.below(5) : 0,
    duration_us: random.below(random.pick([1_000, 1_100_000])),
    start_ts: SINCE_NS + BigInt(random.below(1_000) - 5),
    socket_cookie: 1_000_000 * cpu + seq,
    bytes_sent: random.below(random.pick([100, 2 ** 32])),
    bytes_received: random.below(100_000),
    tcp_bytes_sent: random.below(2 ** 31),
    segs_out: random.below(random.pick([10, 70_000])),
    segs_in: random.below(10),
    busy_time_us: random.below(1_000_000),
    rtt_us: random.below(random.pick([2, 5_000])),
    min_rtt_us: random.below(3),
    pid: random.pick([101, 102, 103, 201]),
  };
}

/** Columns by which a person may group connections that ended. */
const GROUPED = [
  'role',
  'family',
  'verdict',
  'local_address',
  'peer_address',
  'network_namespace',
  'owner_source',
  'socket_uid',
  'congestion_control',
  'own',
] as const;
const SUMMED = EVENT_FIELDS.filter(({ summary }) => summary === 'sum').map(({ name }) => name);

/** By everything that may be grouped by: sums over what ended. */
function sumsOf(batches: readonly OracleBatch[]): Map<string, Record<string, number>> {
  const sums = new Map<string, Record<string, number>>();
  for (const { events, owners } of batches) {
    for (const event of events) {
      if (!['close', 'fail', 'summary'].includes(String(event['kind']))) continue;
      const owner = owners[Number(event['owner'])] as Row;
      const port = event['role'] === 'server' ? event['local_port'] : event['peer_port'];
      const key = JSON.stringify([
        event['kind'] === 'fail',
        port,
        ...GROUPED.map((name) => event[name]),
        owner['executable'],
        owner['comm'],
        owner['uid'],
        owner['systemd_unit'],
      ]);
      const sum = sums.get(key) ?? {};
      for (const name of ['connections', 'total_retrans', ...SUMMED]) {
        sum[name] = (sum[name] ?? 0) + Number(event[name]);
      }
      sums.set(key, sum);
    }
  }
  return sums;
}

const otherKinds = (batches: readonly OracleBatch[]): Row[] =>
  batches
    .flatMap(({ events }) => events)
    .filter(({ kind }) => !['close', 'summary'].includes(String(kind)))
    .map(({ owner, ...event }) => event);

/** What a batch says of each CPU against the rows that were in it and in those before. */
function assertAccount(batches: readonly OracleBatch[]): void {
  const told = Array.from({ length: CPUS }, (): number[] => []);
  for (const { events, cpus } of batches) {
    for (const { cpu, seq } of events) told[Number(cpu)]?.push(Number(seq));
    for (const account of cpus) {
      const { cpu = 0, seq_last = 0, rows = 0, rows_ahead, folded = 0, filtered = 0 } = account;
      const seqs = told[cpu] ?? [];
      assert.equal(rows, seqs.filter((seq) => seq <= seq_last).length);
      assert.equal(rows_ahead, seqs.filter((seq) => seq > seq_last).length);
      assert.equal(seq_last, rows + folded + filtered, 'every number up to the last is one of them');
    }
  }
}

/** The same random traffic, cut and sampled at the same random moments, through pipelines of two kinds. */
function play(seed: number, options: Parameters<typeof createReducedBatches>[0]) {
  const random = createRandom(seed);
  const pipeline = createReducedBatches({
    ...options,
    executableOf: (pid) => (pid < 200 ? '/usr/sbin/nginx' : '/usr/bin/other'),
  });
  const lasts = new Array<number>(CPUS).fill(0);
  const sample = () => lasts.map((seq, cpu) => ({ cpu, seq, failed: 0, folded: 0, filtered: 0 }));
  for (let event = 0; event < EVENTS; event++) {
    // A sample is complete when all that it counts was drained; more may have been by then.
    if (random.below(100) === 0) {
      pipeline.account.begin(sample());
      if (random.below(4) > 0) pipeline.account.complete();
    }
    const cpu = random.below(CPUS);
    lasts[cpu] = (lasts[cpu] ?? 0) + 1;
    pipeline.append(randomRecord(random, cpu, lasts[cpu] ?? 0));
    if (random.below(400) === 0) pipeline.close();
  }
  pipeline.account.begin(sample());
  pipeline.account.complete();
  pipeline.close();
  return pipeline;
}

for (const seed of SEEDS) {
  test(`${EVENTS} random events give the same sums folded or not, and every number is accounted for in every batch (seed ${seed})`, () => {
    const plain = play(seed, { fold: false });
    const folded = play(seed, { fold: true });
    assert.deepEqual(sumsOf(folded.batches), sumsOf(plain.batches));
    assert.deepEqual(otherKinds(folded.batches), otherKinds(plain.batches));
    assertAccount(plain.batches);
    assertAccount(folded.batches);
    const rows = (batches: readonly OracleBatch[]): number =>
      batches.reduce((sum, { events }) => sum + events.length, 0);
    const inRows = folded.batches
      .flatMap(({ events }) => events)
      .reduce((sum, row) => sum + Number(row['folded']), 0);
    assert.ok(inRows > EVENTS / 20, `${inRows} folded`);
    assert.equal(rows(plain.batches), EVENTS);
    assert.equal(rows(folded.batches) + inRows, EVENTS);
    assert.equal(folded.reducer.counts.totals.folded, inRows);
    const last = folded.batches.at(-1)?.cpus ?? [];
    assert.equal(
      last.reduce((sum, cpu) => sum + (cpu['folded'] ?? 0), 0),
      inRows,
    );
  });
}

test('what is left out and what is folded are accounted for side by side', () => {
  const filters = [
    { name: 'peer', peers: ['10.0.0.1'] },
    { name: 'database', ports: [5432] },
  ];
  const pipeline = play(7, { fold: true, filters });
  const plain = play(7, { fold: false });
  assertAccount(pipeline.batches);
  const { folded, filtered } = pipeline.reducer.counts.totals;
  const rows = pipeline.batches.flatMap(({ events }) => events);
  assert.equal(rows.length + folded + filtered, EVENTS);
  assert.ok(folded > 0 && filtered > 0);
  const isLeftOut = ({ role, peer_address, local_port, peer_port }: Row): boolean =>
    (peer_address as Buffer)[15] === 1 || (role === 'server' ? local_port : peer_port) === 5432;
  assert.equal(rows.some(isLeftOut), false);
  assert.equal(plain.batches.flatMap(({ events }) => events).filter(isLeftOut).length, filtered);
});
