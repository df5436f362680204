import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { TCPTRAIL } from './run-command.ts';
import { cleanUp, folder, place, ready, up } from './ups.ts';

after(cleanUp);

test('parts that are not root find at the next start what they compiled, where root runs nothing from', async () => {
  const compiled = join(folder, 'compiled');
  mkdirSync(compiled, { mode: 0o755 });
  process.env['NODE_COMPILE_CACHE'] = compiled;
  const at = place();
  const running = up(at, '--quiet');
  await ready(at, running);
  running.child.kill('SIGTERM');
  assert.equal((await running.ended).code, 0);
  const [version = ''] = readdirSync(join(compiled, 'tcptrail'));
  const { uid } = statSync(join(compiled, 'tcptrail'));
  assert.ok(version.endsWith(`-${uid}`) && uid !== 0, version);
  assert.ok(readdirSync(join(compiled, 'tcptrail', version)).length > 0);
});

test('a user who is not root keeps it with what else may be deleted, and goes without where that cannot be written', () => {
  const NOBODY = 65_534;
  const cache = join(folder, 'cache');
  mkdirSync(cache);
  chownSync(cache, NOBODY, NOBODY);
  const version = (env: NodeJS.ProcessEnv): string =>
    execFileSync(TCPTRAIL, ['--version'], {
      env: { PATH: process.env['PATH'], ...env },
      stdio: 'pipe',
      encoding: 'utf8',
      uid: NOBODY,
      gid: NOBODY,
    });
  assert.match(version({ XDG_CACHE_HOME: cache }), /^\d/);
  const [kept = ''] = readdirSync(join(cache, 'tcptrail'));
  assert.ok(kept.endsWith(`-${NOBODY}`), kept);
  for (const env of [{}, { HOME: '/nonexistent' }]) assert.match(version(env), /^\d/);
});
