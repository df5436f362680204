import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '../..');

/** Part → parts it may import. `test` may import all. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  schemas: [],
  config: ['schemas'],
  spool: ['schemas'],
  kafka: ['schemas', 'config'],
  agent: ['schemas', 'config', 'spool', 'kafka'],
  consumer: ['schemas', 'config', 'spool', 'kafka'],
  cli: ['schemas', 'config', 'spool', 'kafka', 'agent', 'consumer', 'infra'],
  infra: [],
};
/** Workspaces whose folder is not their name. */
const FOLDERS: Record<string, string> = {
  'embedded-clickhouse': 'infra/embedded-clickhouse',
  'local-kafka': 'infra/kafka',
};
/** Files of a part that each of its stages may import. */
const SHARED = /^(aborted|config|errors|form|metrics|libc|library|memory|log|logger)\.ts$/;

interface Import {
  readonly file: string;
  readonly target: string;
}

/** Imports of the project's own files, both ends as paths from the root. */
function imports(): Import[] {
  const files = globSync('{schemas,config,spool,kafka,agent,consumer,cli,infra/*}/src/**/*.ts', {
    cwd: ROOT,
  });
  return files.flatMap((file) => {
    const text = readFileSync(join(ROOT, file), 'utf8');
    const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(
      (match) => match[1] ?? '',
    );
    return specifiers.flatMap((specifier): Import[] => {
      if (specifier.startsWith('.')) return [{ file, target: normalize(join(dirname(file), specifier)) }];
      const workspace = /^@tcptrail\/([a-z-]+)\/(.*)$/.exec(specifier);
      if (!workspace) return [];
      const name = workspace[1] ?? '';
      return [{ file, target: `${FOLDERS[name] ?? name}/src/${workspace[2]}` }];
    });
  });
}

const part = (path: string): string => path.split('/')[0] ?? '';

test('the search finds imports at all', () => {
  assert.ok(imports().some(({ file, target }) => part(file) === 'cli' && part(target) !== 'cli'));
});

test('a part imports only the parts it may', () => {
  for (const { file, target } of imports()) {
    if (part(file) === part(target)) continue;
    assert.ok(MAY_IMPORT[part(file)]?.includes(part(target)), `${file} imports ${target}`);
  }
});

test('a stage imports its own folder and its part, never another stage', () => {
  for (const { file, target } of imports()) {
    const [from, to] = [file.split('/'), target.split('/')];
    if (!['agent', 'consumer'].includes(from[0] ?? '') || from[0] !== to[0]) continue;
    if (from.length < 4) continue;
    const shared = to.length === 3 && SHARED.test(to[2] ?? '');
    assert.ok(shared || from[2] === to[2], `${file} imports ${target}`);
  }
});
