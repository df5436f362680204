import assert from 'node:assert/strict';
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  type AgentHome,
  agentHome,
  runningAgent,
  spooled,
  startAgent,
  until,
} from './support/agent-process.ts';
import { converse, echoServer } from './support/connections.ts';
import { ext4Disk, needsLoop } from './support/ext4-disk.ts';
import { needsRoot } from './support/needs-root.ts';
import type { OracleBatch } from './support/oracle.ts';
import { smallDisk } from './support/small-disk.ts';
import { portsOf, rowsIn, totalOf } from './support/spooled-rows.ts';
import { tempFolder } from './support/temp-folder.ts';

/** Fills the disk to its last byte; the file to remove. */
function fillDisk(path: string): string {
  const ballast = join(path, 'ballast');
  const fd = openSync(ballast, 'w');
  try {
    for (const block = Buffer.alloc(65_536); ; ) writeSync(fd, block);
  } catch {
    // Full.
  } finally {
    closeSync(fd);
  }
  return ballast;
}

/** The next agent tells what the one before, of `epoch`, had held: every connection, and an account that is even. */
async function nextTellsAll(
  t: TestContext,
  home: AgentHome,
  held: { readonly epoch: number | undefined; readonly port: number; readonly locals: readonly number[] },
): Promise<void> {
  const next = await runningAgent(t, home);
  next.child.kill('SIGINT');
  assert.equal(await next.ended(), 0, next.stderr());
  const told = spooled(home).filter((batch) => batch.kernel_epoch === held.epoch);
  assert.deepEqual(
    portsOf(told, 'close', 'client', held.port),
    held.locals.toSorted((a, b) => a - b),
  );
  const last = told.at(-1);
  assert.equal(totalOf(last, 'rows'), rowsIn(told));
  assert.equal(totalOf(last, 'seq_last'), rowsIn(told) + totalOf(last, 'failed'));
}

test('a disk that fills up under a running agent costs no row', needsRoot, async (t) => {
  const disk = smallDisk(t, '32m');
  const home = agentHome(t, { disk });
  const agent = await runningAgent(t, home);
  const echo = await echoServer(t, '127.0.0.1');
  const ballast = fillDisk(disk);
  const locals: number[] = [];
  for (let count = 0; count < 20; count++) locals.push(await converse('127.0.0.1', echo.port));
  await until('the agent says so', () => agent.stderr().includes('AGENT_SPOOL_WRITE'));
  rmSync(ballast);
  for (let count = 0; count < 20; count++) locals.push(await converse('127.0.0.1', echo.port));
  await echo.stop();
  agent.child.kill('SIGTERM');
  assert.equal(await agent.ended(), 0, agent.stderr());
  const batches = spooled(home);
  assert.deepEqual(
    portsOf(batches, 'close', 'client', echo.port),
    locals.sort((a, b) => a - b),
  );
  assert.equal(agent.stderr().split('AGENT_SPOOL_WRITE').length - 1, 1, 'said once, not once a batch');
  const last = batches.at(-1);
  assert.equal(totalOf(last, 'rows'), rowsIn(batches));
  assert.equal(totalOf(last, 'seq_last'), rowsIn(batches) + totalOf(last, 'failed'));
});

for (const signal of ['SIGTERM', 'SIGINT'] as const)
  test(
    `an agent that ends by ${signal} on a full disk says so, and the next one tells what it held`,
    needsRoot,
    async (t) => {
      const disk = smallDisk(t, '32m');
      const home = agentHome(t, { disk });
      const first = await runningAgent(t, home);
      const epoch = spooled(home)[0]?.kernel_epoch;
      const echo = await echoServer(t, '127.0.0.1');
      const ballast = fillDisk(disk);
      // More than the rest of the segment's last page holds.
      const locals: number[] = [];
      for (let count = 0; count < 200; count++) locals.push(await converse('127.0.0.1', echo.port));
      await echo.stop();
      first.child.kill(signal);
      assert.equal(await first.ended(), 1);
      assert.match(
        first.stderr(),
        /\ntcptrail agent: stopped with \d+ batches that the spool [^\n]* \(ENOSPC\)[^\n]*\n$/,
      );
      rmSync(ballast);
      await nextTellsAll(t, home, { epoch, port: echo.port, locals });
    },
  );

test('a state that a full disk does not take is told when there is room again', needsRoot, async (t) => {
  const disk = smallDisk(t, '32m');
  const home = agentHome(t, { disk });
  const first = await runningAgent(t, home);
  const epoch = spooled(home)[0]?.kernel_epoch;
  first.child.kill('SIGKILL');
  await first.ended();
  const echo = await echoServer(t, '127.0.0.1');
  const locals: number[] = [];
  for (let count = 0; count < 200; count++) locals.push(await converse('127.0.0.1', echo.port));
  await echo.stop();
  const ballast = fillDisk(disk);
  home.configure({ ring: { lifecycleBytes: 8 << 20 } });
  const ending = startAgent(t, ['--end', '--config', home.configFile]);
  assert.equal(await ending.ended(), 1);
  assert.match(ending.stderr(), /"kernel_epochs":\[\d+\].*not told to its end/);
  assert.match(ending.stderr(), /\ntcptrail agent: stopped with \d+ batches [^\n]* \(ENOSPC\)[^\n]*\n$/);

  const second = startAgent(t, ['--config', home.configFile]);
  await until('the agent to run', () => second.stderr().includes('agent runs'), second.stderr);
  assert.match(second.stderr(), /not told to its end/);
  rmSync(ballast);
  const states = (): number =>
    readdirSync(`/sys/fs/bpf/tcptrail/${home.instance}`).filter((name) => /^\d+-/.test(name)).length;
  await until('the earlier states to go', () => states() === 1, second.stderr);
  second.child.kill('SIGINT');
  assert.equal(await second.ended(), 0, second.stderr());
  const told = spooled(home).filter((batch) => batch.kernel_epoch === epoch);
  assert.deepEqual(
    portsOf(told, 'close', 'client', echo.port),
    locals.sort((a, b) => a - b),
  );
  assert.equal(totalOf(told.at(-1), 'rows'), rowsIn(told));
  assert.equal(totalOf(told.at(-1), 'seq_last'), rowsIn(told) + totalOf(told.at(-1), 'failed'));
});

test(
  'on a full disk the file that disables the host ends the agent for good, and what it held stays',
  needsRoot,
  async (t) => {
    const disk = smallDisk(t, '32m');
    const disabledFile = join(tempFolder(t), 'disabled');
    const home = agentHome(t, { disk, further: { guest: { disabledFile, crashWaitMsMax: 0 } } });
    const first = await runningAgent(t, home);
    const echo = await echoServer(t, '127.0.0.1');
    const ballast = fillDisk(disk);
    const locals: number[] = [];
    for (let count = 0; count < 200; count++) locals.push(await converse('127.0.0.1', echo.port));
    await echo.stop();
    writeFileSync(disabledFile, '');
    assert.equal(await first.ended(), 3, first.stderr());
    assert.match(first.stderr(), /AGENT_SPOOL_UNSPOOLED.*\(ENOSPC\)/);
    assert.match(first.stderr(), /\ntcptrail agent: this host is not to be recorded[^\n]*\n$/);
    rmSync(ballast);
    const ending = startAgent(t, ['--config', home.configFile]);
    assert.equal(await ending.ended(), 3, ending.stderr());
    assert.deepEqual(
      portsOf(spooled(home), 'close', 'client', echo.port),
      locals.sort((a, b) => a - b),
    );
    assert.equal(existsSync(`/sys/fs/bpf/tcptrail/${home.instance}`), false);
  },
);

test('a full spool loses its oldest rows and counts every one of them', needsRoot, async (t) => {
  const home = agentHome(t, { spool: { segmentBytes: 65_536, bytesMax: 262_144 } });
  const first = await runningAgent(t, home);
  const echo = await echoServer(t, '127.0.0.1');
  for (let round = 0; round < 150; round++) {
    await Promise.all(Array.from({ length: 40 }, () => converse('127.0.0.1', echo.port)));
  }
  first.child.kill('SIGINT');
  assert.equal(await first.ended(), 0, first.stderr());
  const epoch = spooled(home).at(-1)?.kernel_epoch;
  const account = (): OracleBatch | undefined =>
    spooled(home).findLast((batch) => batch.kernel_epoch === epoch);
  const left = (): number => rowsIn(spooled(home).filter((batch) => batch.kernel_epoch === epoch));
  assert.ok(totalOf(account(), 'spool_dropped') > 0);
  assert.equal(totalOf(account(), 'rows') - totalOf(account(), 'spool_dropped'), left());

  const second = await runningAgent(t, home);
  const before = left();
  const droppedOwn = (): number => {
    const last = spooled(home).at(-1);
    return last?.kernel_epoch === epoch ? 0 : totalOf(last, 'spool_dropped');
  };
  for (let round = 0; left() === before || droppedOwn() === 0; round++) {
    assert.ok(round < 300, 'the rows of 12,000 connections dropped none of one of the runs');
    await Promise.all(Array.from({ length: 40 }, () => converse('127.0.0.1', echo.port)));
  }
  await echo.stop();
  second.child.kill('SIGTERM');
  assert.equal(await second.ended(), 0, second.stderr());
  assert.equal(totalOf(account(), 'rows') - totalOf(account(), 'spool_dropped'), left());
  // One of the rows that went may have been all that was told of an older connection.
  assert.equal(spooled(home).findLast(({ health }) => health)?.health?.['older_told'], false);
});

test(
  'a disk that fails and turns read-only ends no agent, and the next one tells what it held',
  needsLoop,
  async (t) => {
    const disk = ext4Disk(t);
    const home = agentHome(t, { disk: disk.path, spool: { fsyncMs: 50 } });
    const first = await runningAgent(t, home);
    const epoch = spooled(home)[0]?.kernel_epoch;
    const echo = await echoServer(t, '127.0.0.1');
    disk.fail();
    const locals: number[] = [];
    for (let count = 0; count < 20; count++) locals.push(await converse('127.0.0.1', echo.port));
    await until('the agent says so', () => first.stderr().includes('AGENT_SPOOL_WRITE'));
    locals.push(await converse('127.0.0.1', echo.port));
    await echo.stop();
    assert.ok(spooled(home).length > 0, 'what is there can be read');
    first.child.kill('SIGTERM');
    assert.equal(await first.ended(), 1);
    assert.match(first.stderr(), /\ntcptrail agent: stopped with \d+ batches [^\n]* \(EROFS\)[^\n]*\n$/);

    const refused = startAgent(t, ['--config', home.configFile]);
    assert.equal(await refused.ended(), 1);
    assert.match(refused.stderr(), /^tcptrail agent: cannot [^\n]*\(EROFS\); make it writable[^\n]*\n$/m);

    disk.mend();
    await nextTellsAll(t, home, { epoch, port: echo.port, locals });
  },
);

test('what waits too long for a reader is dropped, and every row of it counted', needsRoot, async (t) => {
  const home = agentHome(t, { spool: { ageMaxMs: 1 } });
  const first = await runningAgent(t, home);
  const echo = await echoServer(t, '127.0.0.1');
  for (let count = 0; count < 20; count++) await converse('127.0.0.1', echo.port);
  await echo.stop();
  first.child.kill('SIGINT');
  assert.equal(await first.ended(), 0, first.stderr());
  const before = spooled(home);
  const epoch = before[0]?.kernel_epoch;
  const rows = rowsIn(before);
  assert.ok(rows > 20);

  const second = await runningAgent(t, home);
  await until('the agent drops it', () => second.stderr().includes('AGENT_SPOOL_AGED'));
  second.child.kill('SIGTERM');
  assert.equal(await second.ended(), 0, second.stderr());
  const state = JSON.parse(readFileSync(join(home.spoolPath, 'state.json'), 'utf8')) as {
    readonly dropped: Readonly<Record<string, Readonly<Record<string, number>>>>;
  };
  const dropped = Object.values(state.dropped[String(epoch)] ?? {}).reduce((sum, count) => sum + count, 0);
  assert.equal(dropped, rows);
  const account = spooled(home).findLast((batch) => batch.kernel_epoch === epoch);
  assert.deepEqual(
    [totalOf(account, 'rows'), totalOf(account, 'spool_dropped')],
    [rows, rows],
    'shipped, too',
  );
});
