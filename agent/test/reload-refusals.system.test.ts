import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from './support/agent-process.ts';
import { converse, echoServer } from './support/connections.ts';
import { needsRoot } from './support/needs-root.ts';
import { reloading, rowsOf } from './support/reloading.ts';
import { portsOf, totalOf } from './support/spooled-rows.ts';

test('what is wrong changes nothing and is told; what cannot be taken is named', needsRoot, async (t) => {
  const running = await reloading(t, { labels: { zone: 'old' } });
  const { agent, home, change, give, since, all } = running;
  const right = readFileSync(home.configFile, 'utf8');

  await give(JSON.stringify({ ...JSON.parse(right), labels: { zone: 'new', colour: 'red' } }));
  const sentence =
    /unknown key labels\.colour in \S+; .*until then the configuration before it stays in force/;
  assert.match(agent.stderr(), sentence);
  assert.match(await running.health(), sentence);
  await give('labels: [');
  assert.match(await running.health(), /is not valid YAML at line 1/);
  const { batch_seq } = all().at(-1) ?? { batch_seq: 0 };
  await until('a later batch', () => (all().at(-1)?.batch_seq ?? 0) > batch_seq);
  assert.deepEqual(since().at(-1)?.['labels'], { zone: 'old' });

  await change({ labels: { zone: 'new' }, ring: { lifecycleBytes: 65_536 }, spool: { fsyncMs: 5 } });
  assert.match(
    agent.stderr(),
    /configuration read again; in force now: labels\.zone; takes effect at the next start: ring\.lifecycleBytes, spool\.fsyncMs/,
  );
  assert.equal(await running.health(), 'ok\n');
});

test('no event is lost or doubled while the configuration changes', needsRoot, async (t) => {
  const running = await reloading(t, { batch: { flushMs: 100, heartbeatMs: 1_000 } });
  const { agent, change, all } = running;
  const echo = await echoServer(t, '127.0.0.1');
  const locals: number[] = [];
  const load = { going: true };
  t.after(() => {
    load.going = false;
  });
  const traffic = Promise.all(
    Array.from({ length: 4 }, async () => {
      // Paced: no local port comes twice.
      for (; load.going; await sleep(10)) locals.push(await converse('127.0.0.1', echo.port));
    }),
  );
  for (let round = 1; round <= 8; round++) {
    await change({
      labels: { zone: `zone ${round}` },
      batch: { rowsMax: 1 + 7 * round, flushMs: 10 * round },
      privacy: { uid: round % 2 === 0 ? 'drop' : 'keep' },
      process: { redact: [`round ${round}`] },
    });
    // By themselves, with connections held: the sections above close the batch too.
    const before = locals.length;
    await until('connections of a new batch', () => locals.length > before + 100);
    await change({
      events: { openHoldMs: 60_000 + round },
      fold: { enabled: round % 3 !== 0, windowMs: 1_000 },
      filters: round % 2 === 0 ? [] : [{ name: 'nobody', ports: [1], uids: [round] }],
    });
  }
  load.going = false;
  await traffic;
  await echo.stop();
  agent.child.kill('SIGTERM');
  assert.equal(await agent.ended(), 0, agent.stderr());
  const batches = all();
  const summaries = rowsOf(batches).filter(({ kind }) => kind === 'summary');
  for (const role of ['client', 'server']) {
    const single = portsOf(batches, 'close', role, echo.port);
    const times = (ports: readonly number[], port: number) => ports.filter((one) => one === port).length;
    const doubled = single.filter((port) => times(single, port) > times(locals, port));
    assert.deepEqual(doubled, [], 'none is doubled');
    const folded = summaries
      .filter((row) => row['role'] === role)
      .filter((row) => row[role === 'server' ? 'local_port' : 'peer_port'] === echo.port)
      .reduce((sum, row) => sum + Number(row['connections']), 0);
    assert.ok(single.length > 0 && folded > 0, `${single.length} single, ${folded} folded`);
    assert.equal(single.length + folded, locals.length, role);
  }
  const last = batches.at(-1);
  assert.equal(
    totalOf(last, 'seq_last'),
    totalOf(last, 'rows') + totalOf(last, 'failed') + totalOf(last, 'folded') + totalOf(last, 'filtered'),
  );
});
