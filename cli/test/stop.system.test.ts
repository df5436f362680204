import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createTestAgent } from '../../test/harness/agent.ts';
import { removePins } from '../src/supervise/pins.ts';
import { run } from './run-command.ts';

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
