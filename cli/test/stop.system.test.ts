import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isPinned } from '@tcptrail/agent/trace/pins.ts';
import { createTestAgent } from '../../test/harness/agent.ts';
import { removePins } from '../src/supervise/pins.ts';
import { run } from './run-command.ts';

test('what an agent of one home left in the kernel is not ended from another one', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tcptrail-stop-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const instance = `test-${process.pid}-homes`;
  const agent = createTestAgent(folder, { instance });
  t.after(() => agent.stop());
  const lock = `/run/tcptrail/agent-${instance}.lock`;
  t.after(() => {
    removePins(instance);
    rmSync(lock, { force: true });
  });
  await agent.start();
  const other = ['--home', join(folder, 'other'), '--instance', instance];
  const isUntouched = (): boolean => existsSync(lock) && isPinned(instance);
  assert.match((await run(['uninstall', '--yes', ...other])).stdout, /^kept \/sys\/fs\/bpf\/tcptrail\/\S+: /);
  assert.ok(isUntouched(), 'while it runs');
  await agent.part.end('SIGKILL');
  assert.match((await run(['stop', '--force', ...other])).stdout, /^nothing runs for /);
  await run(['uninstall', '--yes', ...other]);
  assert.ok(isUntouched(), 'when it was killed');
  // Whose it is does not hang on a file that somebody may have removed.
  rmSync(agent.spool, { recursive: true });
  const own = await run(['uninstall', '--yes', '--home', folder, '--instance', instance]);
  assert.match(own.stdout, /^removed \/sys\/fs\/bpf\/tcptrail\//);
  assert.equal(isPinned(instance), false);
});

test('an agent that was started by hand, with a spool somewhere, is found by its instance', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tcptrail-stop-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const instance = `test-${process.pid}-stop`;
  const agent = createTestAgent(folder, { instance });
  t.after(() => agent.stop());
  t.after(() => {
    removePins(instance);
    rmSync(`/run/tcptrail/agent-${instance}.lock`, { force: true });
  });
  await agent.start();
  const elsewhere = await run(['stop', '--home', join(folder, 'home'), '--instance', 'test-elsewhere']);
  assert.match(elsewhere.stdout, /^nothing runs for /);
  const stopped = await run(['stop', '--instance', instance]);
  assert.equal(stopped.code, 0, stopped.stderr);
  assert.match(stopped.stdout, /^stopped \(pid \d+\)\n$/);
  await agent.part.end('SIGKILL');
  assert.equal((await run(['stop', '--instance', instance])).stdout, 'nothing runs for this host\n');
});
