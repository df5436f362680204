import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLibc } from '../../src/libc.ts';
import { createAgentLocks } from '../../src/spool/lock.ts';
import { tempFolder } from '../support/temp-folder.ts';

const libc = createLibc();

/** A process that takes the locks and holds them until it is killed. */
async function holder(config: {
  instance: string;
  spoolPath: string;
  runPath: string;
}): Promise<ChildProcess> {
  const program = `
    const { createLibc } = await import('${new URL('../../src/libc.ts', import.meta.url)}');
    const { createAgentLocks } = await import('${new URL('../../src/spool/lock.ts', import.meta.url)}');
    createAgentLocks(${JSON.stringify(config)}, createLibc()).take();
    console.log('held');
    setInterval(() => {}, 60_000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout ?? child, 'data');
  return child;
}

test('the lock of a killed agent is free at once, without cleaning up', async (t) => {
  const folder = tempFolder(t);
  const config = { instance: 'one', spoolPath: join(folder, 'spool'), runPath: join(folder, 'run') };
  const other = await holder(config);
  t.after(() => other.kill('SIGKILL'));
  const locks = createAgentLocks(config, libc);
  assert.throws(() => locks.take(), {
    code: 'AGENT_LOCKED',
    exitCode: 1,
    message: /another agent .*instance one/,
  });
  other.kill('SIGKILL');
  await once(other, 'exit');
  locks.take();
  const noted = `${process.pid}\n${config.spoolPath}\n`;
  for (const file of ['spool/lock', 'run/agent-one.lock'])
    assert.equal(readFileSync(join(folder, file), 'utf8'), noted);
  locks.release();
});

test('another instance may not share the spool, nor another spool the instance', (t) => {
  const folder = tempFolder(t);
  const config = { instance: 'one', spoolPath: join(folder, 'spool'), runPath: join(folder, 'run') };
  const first = createAgentLocks(config, libc);
  first.take();
  t.after(() => first.release());
  const sameSpool = createAgentLocks({ ...config, instance: 'two' }, libc);
  assert.throws(() => sameSpool.take(), { code: 'AGENT_LOCKED', message: /uses the spool/ });
  const sameInstance = createAgentLocks({ ...config, spoolPath: join(folder, 'other') }, libc);
  assert.throws(() => sameInstance.take(), { code: 'AGENT_LOCKED', message: /uses the instance/ });
  assert.equal(readFileSync(join(folder, 'run/agent-two.lock'), 'utf8'), '', 'it recorded nothing');
  const neither = createAgentLocks({ ...config, instance: 'two', spoolPath: join(folder, 'other') }, libc);
  neither.take();
  neither.release();
});

test('a failed attempt leaves nothing locked', (t) => {
  const folder = tempFolder(t);
  const run = { runPath: join(folder, 'run') };
  const first = createAgentLocks({ instance: 'one', spoolPath: join(folder, 'spool'), ...run }, libc);
  first.take();
  t.after(() => first.release());
  assert.throws(() =>
    createAgentLocks({ instance: 'two', spoolPath: join(folder, 'spool'), ...run }, libc).take(),
  );
  const second = createAgentLocks({ instance: 'two', spoolPath: join(folder, 'other'), ...run }, libc);
  second.take();
  second.release();
});
