import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = join(import.meta.dirname, '../..');

/** What each start loads before it knows what is asked of it, from npm: every package is paid for at each of them. */
const LOADS: Readonly<Record<string, readonly string[]>> = {
  'cli/src/main.ts': ['commander'],
  'agent/src/main.ts': ['pino', 'yaml', 'zod'],
  'consumer/src/main.ts': ['@clickhouse/client', 'pino', 'prom-client', 'yaml', 'zod'],
  'infra/embedded-clickhouse/src/main.ts': ['chdb', 'pino'],
  'infra/kafka/src/main.ts': [],
};
/** An import reads all their exports: of http also fetch and WebSocket, of tls every certificate Node.js brings along. */
const BY_FUNCTION = ['node:http', 'node:https', 'node:tls'];

/** What `file` imports when it is loaded; types and `await import()` are not. */
function importsOf(file: string): readonly string[] {
  const text = readFileSync(file, 'utf8');
  const statements = text.matchAll(/^(?:import|export) (?!type )(?:[^';]*? from )?'([^']+)'/gm);
  return [...statements].map((match) => match[1] ?? '');
}

/** Packages that are loaded with `file`, sorted. */
function packagesOf(file: string): readonly string[] {
  const packages = new Set<string>();
  const files = new Set([file]);
  for (const each of files)
    for (const specifier of importsOf(each)) {
      if (specifier.startsWith('node:')) continue;
      if (specifier.startsWith('.')) files.add(join(dirname(each), specifier));
      else if (specifier.startsWith('@tcptrail/')) files.add(fileURLToPath(import.meta.resolve(specifier)));
      else packages.add(specifier);
    }
  return [...packages].toSorted();
}

test('a start loads no package that only some of its uses need', () => {
  for (const [file, packages] of Object.entries(LOADS))
    assert.deepEqual(packagesOf(join(ROOT, file)), packages, file);
});

test('no program imports a built-in module whose import loads far more than its functions', () => {
  const files = globSync('{schemas,config,spool,kafka,agent,consumer,cli,infra/*}/src/**/*.ts', {
    cwd: ROOT,
  });
  const found = files.flatMap((file) =>
    importsOf(join(ROOT, file))
      .filter((specifier) => BY_FUNCTION.includes(specifier))
      .map((specifier) => `${file} imports ${specifier}; take it by process.getBuiltinModule`),
  );
  assert.ok(files.length > 0);
  assert.deepEqual(found, []);
});
