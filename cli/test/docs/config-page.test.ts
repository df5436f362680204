import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { misspeltIn } from '@tcptrail/config/environment.ts';
import { keysOf } from '@tcptrail/config/keys.ts';
import { loadConfig } from '@tcptrail/config/load.ts';
import { printConfig } from '@tcptrail/config/print.ts';
import { CONFIG_PARTS } from '../../src/docs/config-parts.ts';

const PAGE = join(import.meta.dirname, '../../../docs/config.md');

/** The examples as a reader of the page copies them, in the order of the parts. */
function examples(): readonly string[] {
  const page = readFileSync(PAGE, 'utf8');
  return [...page.matchAll(/```yaml\n(.*?)```/gs)].map((match) => match[1] ?? '');
}

test('the example of every part is a right configuration, and read again as printed', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tcptrail-examples-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  assert.equal(examples().length, CONFIG_PARTS.length);
  for (const [index, { name: part, schema }] of CONFIG_PARTS.entries()) {
    const file = join(folder, `${part}.yaml`);
    writeFileSync(file, examples()[index] ?? '');
    const config = loadConfig(schema, { part, file, env: {} });
    assert.notDeepEqual(
      config,
      loadConfig(schema, { part: 'no-such-part', env: {} }),
      'it changes something',
    );
    writeFileSync(file, printConfig(schema, config));
    assert.deepEqual(loadConfig(schema, { part, file, env: {} }), config);
  }
});

test('every key says in one sentence what it means, and every part runs without a file', () => {
  for (const { schema } of CONFIG_PARTS) {
    for (const { name, meaning, isRequired } of keysOf(schema)) {
      assert.match(meaning, /^\S.*\.$/, name);
      assert.doesNotMatch(meaning, /\n/, name);
      assert.equal(isRequired, false, name);
    }
  }
});

test('a part never takes the variables of another, or of the command, for misspelt', () => {
  const variables = CONFIG_PARTS.flatMap(({ schema }) => keysOf(schema).map(({ variable }) => variable));
  const others = [
    'TCPTRAIL_HOME',
    'TCPTRAIL_COMMAND',
    'TCPTRAIL_KILLS',
    'TCPTRAIL_TEST_LONG',
    'TCPTRAIL_TEST_DEADLINE_MS',
    'TCPTRAIL_TEST_EVENTS',
    'TCPTRAIL_CLICKHOUSE_READER_PASSWORD',
  ];
  const env = Object.fromEntries([...variables, ...others].map((variable) => [variable, '']));
  for (const { name, schema } of CONFIG_PARTS) assert.deepEqual(misspeltIn(keysOf(schema), env), [], name);
});
