import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startWebLoad, type WebLoad } from '../harness/web-load.ts';
import { FOLDED, startTwoAgents, type TwoAgents } from './two-agents.ts';

/** As web servers have it: kept alive, reset, refused, idle, from beginning to end, and some that still live. */
const COUNT = 4_000;
const CLIENTS = 24;
const SERVICE = "if(role = 'client', peer_port, local_port) AS service";

let agents: TwoAgents;
let load: WebLoad;
let ofLoad = '';

before(async () => {
  // An update is of the counters at its instant, and one agent's instant is not the other's.
  agents = await startTwoAgents({ events: { updateMs: 0 } });
  load = await startWebLoad({ count: COUNT, clients: CLIENTS, seed: 11 });
  // Rows of several processes of one program name none.
  ofLoad = `(pid IN (${load.pids.join(', ')}) OR (pid = 0 AND local_port IN (${load.sharedPorts.join(', ')})))`;
  await agents.settle();
});
after(async () => {
  await load?.stop();
  await agents?.stop();
});

test('connections: the same numbers and sums, by whatever they are grouped', async () => {
  // What still lives was told at an instant of each agent, an acknowledgement earlier or later.
  const sums = `sum(connections) AS connections, sum(bytes_sent) AS sent, sum(bytes_delivered) AS delivered,
    sum(bytes_received) AS received, sum(bytes_unsent) AS unsent, sum(bytes_unread) AS unread,
    sum(local_drop_bytes) AS dropped, sum(tcp_bytes_sent) AS tcp_sent, sum(tcp_bytes_retrans) AS tcp_retrans,
    sumIf(segs_out, state != 'live') AS segs_out, sumIf(segs_in, state != 'live') AS segs_in, sum(total_retrans) AS retransmits,
    sum(retrans_syn + retrans_syn_ack + retrans_rto + retrans_loss_recovery + retrans_fast + retrans_tail_loss_probe
      + retrans_other + retrans_failed) AS by_cause`;
  const groups = [
    'state, verdict, role',
    `role, ${SERVICE}, family`,
    'peer_address, role',
    'local_address, network_namespace',
    'comm, executable, uid, cgroup_path, systemd_unit, parent_executable, container_id, pod_uid',
    'owner_source, own, congestion_control, counters_since',
    'errno, errno_known, doubts, reset_direction',
    'host_name, boot_id',
  ];
  for (const group of groups) {
    await agents.assertSame(
      `SELECT ${group}, ${sums} FROM connections WHERE {host} AND ${ofLoad} GROUP BY ALL ORDER BY ALL`,
    );
  }
  const [all] = await agents.stack.rows<{ clients: string }>(
    `SELECT sum(connections) AS clients FROM connections
     WHERE host_id = '${FOLDED}' AND ${ofLoad} AND role = 'client'`,
  );
  assert.equal(Number(all?.clients), load.connections);
});

test('connections: processes keep theirs where they share no port', async () => {
  const [clients, first, second] = load.pids;
  await agents.assertSame(
    `SELECT pid, parent_pid, sum(connections) AS connections, sum(bytes_sent) AS sent
     FROM connections WHERE {host} AND pid IN (${clients}, ${first}, ${second}) GROUP BY ALL ORDER BY ALL`,
  );
});

test('connections: what is out of the ordinary stands by itself', async () => {
  const kinds = {
    live: "state = 'live'",
    'reset by either': "verdict IN ('reset_sent', 'reset_received')",
    'older than a second': "state = 'closed' AND duration_us >= 1000000 AND connections = 1",
  };
  for (const [kind, which] of Object.entries(kinds)) {
    await agents.assertSame(
      `SELECT '${kind}', socket_cookie, generation, role, verdict, local_port, peer_port, bytes_sent, bytes_received
       FROM connections WHERE {host} AND ${ofLoad} AND ${which} AND socket_cookie IN (
         SELECT socket_cookie FROM connections WHERE host_id = '${FOLDED}' AND connections = 1)
       ORDER BY ALL`,
    );
  }
});

test('connections: times are those of all, by weight', async () => {
  const { single, folded } = await agents.both(
    `SELECT role, ${SERVICE}, sum(duration_us) / sum(connections) AS duration,
       avgWeighted(rtt_us, connections) AS rtt FROM connections
     WHERE {host} AND ${ofLoad} AND state = 'closed' GROUP BY role, service ORDER BY role, service`,
  );
  assert.equal(folded.length, single.length);
  for (const [index, row] of (folded as { rtt: number; duration: number }[]).entries()) {
    const of = (single as { rtt: number; duration: number }[])[index];
    // Each row rounds its mean to whole us.
    assert.ok(Math.abs(row.rtt - (of?.rtt ?? 0)) <= 0.5, `${row.rtt} for ${of?.rtt}`);
    assert.ok(row.duration / (of?.duration ?? 0) > 0.9, `${row.duration} for ${of?.duration}`);
    assert.ok(row.duration / (of?.duration ?? 0) < 1.1, `${row.duration} for ${of?.duration}`);
  }
});

test('failures and retransmits: the same rows', async () => {
  await agents.assertSame(
    `SELECT kind, reason, errno, errno_known, connections, socket_cookie, generation, role, local_address, local_port,
       peer_address, peer_port, pid, comm, executable FROM failures WHERE {host} AND ${ofLoad} ORDER BY ALL`,
  );
  const { single, folded } = await agents.both(
    `SELECT socket_cookie, generation, retransmit_cause, retransmit_segments, pid FROM retransmits
     WHERE {host} AND ${ofLoad} ORDER BY ALL`,
  );
  assert.deepEqual(folded, single);
});

test('resets and listeners: the same rows', async () => {
  await agents.assertSame(
    `SELECT kind, socket_cookie, generation, reset_direction, reset_reason, local_port, peer_port FROM tcp_events
     WHERE {host} AND ${ofLoad} AND kind = 'reset' ORDER BY ALL`,
  );
  await agents.assertSame(
    `SELECT kind, socket_cookie, local_address, local_port, accept_queue_max, pid FROM tcp_events
     WHERE {host} AND ${ofLoad} AND kind IN ('listen', 'unlisten') ORDER BY ALL`,
  );
});

test('hosts: nothing is missing of either, and exclusions name what was folded of one', async () => {
  await agents.assertSame(
    `SELECT host_name, boot_id, agent_version, kernel_release, labels, agent_runs, boots, missing_programs,
       missing_evidence, suspect_events FROM hosts WHERE {host}`,
  );
  const { single, folded } = await agents.both(
    'SELECT rule, filtered, folded > 0 AS folds FROM exclusions WHERE {host}',
  );
  assert.deepEqual(single, []);
  assert.deepEqual(folded, [{ rule: 'fold', filtered: 0, folds: 1 }]);
});

test('completeness: exact for both', async () => {
  const accounts = await agents.stack.rows<Record<string, string | boolean>>('SELECT * FROM completeness');
  assert.equal(new Set(accounts.map(({ host_id }) => host_id)).size, 2);
  for (const row of accounts) {
    assert.equal(row['exact'], true, JSON.stringify(row));
    assert.equal(row['verdict'], 'complete', JSON.stringify(row));
  }
});

test('a third of the rows, at most, are left', async (t) => {
  const { single, folded } = await agents.both(
    `SELECT count() AS rows, countIf(kind = 'close') AS closes, countIf(kind = 'summary') AS summaries
     FROM tcp_events WHERE {host} AND ${ofLoad}`,
  );
  const [of] = single as { rows: string }[];
  const [left] = folded as { rows: string; closes: string; summaries: string }[];
  const ratio = Number(of?.rows) / Number(left?.rows);
  t.diagnostic(
    `${left?.rows} rows (${left?.summaries} summaries, ${left?.closes} closes) for ${of?.rows}: ${ratio.toFixed(1)} times fewer`,
  );
  assert.ok(ratio >= 3, `${left?.rows} of ${of?.rows} rows`);
});
