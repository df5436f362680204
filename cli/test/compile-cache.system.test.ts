import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
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
