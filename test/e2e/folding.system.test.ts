import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { runLoad } from '../harness/load.ts';
import type { Truth } from '../load/connections.ts';
import { FOLDED, SINGLE, startTwoAgents, type TwoAgents } from './two-agents.ts';

/** Of each the load's own log is the truth: many short connections of many clients to few services, some refused. */
const COUNT = 4_000;
const CLIENTS = 100;
const REFUSED = 60;

let agents: TwoAgents;
let truths: readonly Truth[] = [];
let ofLoad = '';

before(async () => {
  agents = await startTwoAgents();
  truths = await runLoad({ count: COUNT, refused: REFUSED, seed: 7, clients: CLIENTS });
  const pids = [...new Set(truths.map(({ pid }) => pid))].join(', ');
  ofLoad = `pid IN (${pids})`;
  await agents.settle();
});
after(async () => {
  await agents?.stop();
});

test('the load was of many connections, and both agents saw it', () => {
  assert.equal(truths.length, 2 * (COUNT - REFUSED) + REFUSED);
});

test('folding gives the same connections and bytes, by whatever they are grouped', async () => {
  const sums = `sum(connections) AS connections, sum(bytes_sent) AS sent, sum(bytes_delivered) AS delivered,
    sum(bytes_received) AS received, sum(tcp_bytes_sent) AS tcp_sent, sum(segs_out) AS segs_out, sum(segs_in) AS segs_in,
    sum(total_retrans) AS retransmits, min(min_rtt_us) AS min_rtt_us`;
  const groups = [
    "''",
    'state, verdict',
    'role, if(role = 1, peer_port, local_port)',
    'peer_address',
    'local_address, network_namespace',
    'pid, comm, executable, uid, cgroup_path, systemd_unit, parent_executable, parent_pid',
    'family, owner_source, own, congestion_control',
    'errno, errno_known, counters_since, doubts',
  ];
  for (const group of groups) {
    await agents.assertSame(
      `SELECT ${group}, ${sums} FROM connections WHERE {host} AND ${ofLoad} GROUP BY ${group} ORDER BY ALL`,
    );
  }
  const [all] = await agents.stack.rows<{ connections: string }>(
    `SELECT sum(connections) AS connections FROM connections WHERE host_id = '${FOLDED}' AND ${ofLoad}`,
  );
  assert.equal(Number(all?.connections), truths.length);
});

test('the bytes are those of the load itself', async () => {
  const [found] = await agents.stack.rows<{ sent: string; received: string }>(
    `SELECT sum(bytes_sent) AS sent, sum(bytes_received) AS received FROM connections
     WHERE host_id = '${FOLDED}' AND ${ofLoad}`,
  );
  const total = (of: 'bytesSent' | 'bytesReceived'): number =>
    truths.reduce((sum, truth) => sum + truth[of], 0);
  assert.deepEqual(
    [Number(found?.sent), Number(found?.received)],
    [total('bytesSent'), total('bytesReceived')],
  );
});

test('failures and retransmissions are the same rows', async () => {
  await agents.assertSame(
    `SELECT reason, errno, connections, local_port, peer_port, pid, comm FROM failures
     WHERE {host} AND ${ofLoad} ORDER BY ALL`,
  );
  const { single, folded } = await agents.both(
    `SELECT socket_cookie, generation, retransmit_cause, retransmit_segments FROM retransmits
     WHERE {host} AND ${ofLoad} ORDER BY ALL`,
  );
  assert.deepEqual(folded, single);
});

test('round-trip times are averaged by connection', async () => {
  const { single, folded } = await agents.both(
    `SELECT role, if(role = 1, peer_port, local_port) AS port, sum(rtt_us * connections) / sum(connections) AS rtt
     FROM connections WHERE {host} AND ${ofLoad} AND state = 'closed' GROUP BY role, port ORDER BY ALL`,
  );
  assert.equal(folded.length, single.length);
  for (const [index, row] of (folded as { rtt: number }[]).entries()) {
    const expected = (single as { rtt: number }[])[index]?.rtt ?? 0;
    // Each summary rounds its mean to whole us.
    assert.ok(Math.abs(row.rtt - expected) <= 0.5, `${row.rtt} for ${expected}`);
  }
});

test('a third of the rows, at most, are left', async (t) => {
  const { single, folded } = await agents.both(
    `SELECT count() AS rows FROM tcp_events WHERE {host} AND ${ofLoad}`,
  );
  const rows = (of: unknown[]): number => Number((of as { rows: string }[])[0]?.rows);
  t.diagnostic(
    `${rows(folded)} rows for ${rows(single)}: ${(rows(single) / rows(folded)).toFixed(1)} times fewer, ${CLIENTS} clients`,
  );
  assert.ok(rows(single) >= truths.length);
  assert.ok(3 * rows(folded) <= rows(single), `${rows(folded)} of ${rows(single)} rows`);
});

test('completeness is exact for both, and every folded event is in a summary and under a rule', async () => {
  const accounts = await agents.stack.rows<Record<string, string | boolean>>('SELECT * FROM completeness');
  assert.deepEqual([...new Set(accounts.map(({ host_id }) => host_id))].toSorted(), [FOLDED, SINGLE]);
  for (const row of accounts) {
    assert.equal(row['exact'], true, JSON.stringify(row));
    assert.equal(row['verdict'], 'complete', JSON.stringify(row));
  }
  const [stored] = await agents.stack.rows<{ folded: string }>(
    `SELECT sum(folded) AS folded FROM tcp_events WHERE host_id = '${FOLDED}'`,
  );
  const inAccounts = accounts
    .filter(({ host_id }) => host_id === FOLDED)
    .reduce((sum, row) => sum + Number(row['folded']), 0);
  assert.ok(inAccounts > COUNT);
  assert.equal(Number(stored?.folded), inAccounts);
  assert.deepEqual(
    await agents.stack.rows(
      'SELECT host_id, rule, toUInt32(folded) AS folded, toUInt32(filtered) AS filtered FROM exclusions',
    ),
    [{ host_id: FOLDED, rule: 'fold', folded: inAccounts, filtered: 0 }],
  );
});
