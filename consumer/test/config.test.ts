import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { keysOf } from '@tcptrail/config/keys.ts';
import { loadConfig } from '@tcptrail/config/load.ts';
import { printConfig } from '@tcptrail/config/print.ts';
import { CONSUMER_CONFIG, type ConsumerConfig } from '../src/config.ts';

function fileWith(t: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'tcptrail-consumer-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'file');
  writeFileSync(file, text);
  return file;
}

function load(t: TestContext, yaml: string, env: Readonly<Record<string, string>> = {}): ConsumerConfig {
  return loadConfig(CONSUMER_CONFIG, { part: 'consumer', file: fileWith(t, yaml), env });
}

test('an empty file gives the defaults', (t) => {
  const { clickhouse, spool, metrics, migrate } = load(t, '');
  assert.deepEqual(
    [clickhouse.url, clickhouse.database, spool.path, metrics.port, migrate],
    ['http://127.0.0.1:8123', 'tcptrail', '/var/spool/tcptrail', 9481, true],
  );
});

test('every variable is read as the type of its key', (t) => {
  const config = load(t, 'clickhouse: {password: a}', {
    TCPTRAIL_CLICKHOUSE_PASSWORD: '123',
    TCPTRAIL_CLICKHOUSE_USERNAME: 'true',
    TCPTRAIL_SPOOL_POLL_MS: '20',
    TCPTRAIL_MIGRATE: 'false',
  });
  assert.deepEqual(
    [config.clickhouse.password, config.clickhouse.username, config.spool.pollMs, config.migrate],
    ['123', 'true', 20, false],
  );
});

test('the first line of passwordFile wins over password', (t) => {
  const passwordFile = fileWith(t, 'from file\nmore\n');
  const config = load(t, JSON.stringify({ clickhouse: { password: 'from key', passwordFile } }));
  assert.equal(config.clickhouse.password, 'from file');
});

test('the password is a secret, and is not printed', (t) => {
  const secrets = keysOf(CONSUMER_CONFIG).filter(({ isSecret }) => isSecret);
  assert.ok(secrets.some(({ name }) => name === 'clickhouse.password'));
  const text = printConfig(CONSUMER_CONFIG, load(t, 'clickhouse: {password: hidden}'));
  assert.match(text, / password: \(set\)\n/);
  assert.doesNotMatch(text, /hidden/);
});

test('a wrong key, address, database or reader is refused by name', (t) => {
  const refused: readonly (readonly [string, RegExp])[] = [
    ['clickhouse: {urll: x}', /^unknown key clickhouse\.urll in .*; did you mean clickhouse\.url\?/],
    [
      'clickhouse: {url: "ftp://x"}',
      /^clickhouse\.url in .* is "ftp:\/\/x"; give a URL that begins with http/,
    ],
    ['clickhouse: {database: "a-b"}', /^clickhouse\.database in .* is "a-b"; give letters/],
    ['spool: {reader: "../x"}', /^spool\.reader in .* is "\.\.\/x"; give one or more of/],
    ['batch: {rowsMax: 0}', /^batch\.rowsMax in .* is 0; give a whole number from 1/],
  ];
  for (const [yaml, message] of refused) {
    assert.throws(() => load(t, yaml), { message, exitCode: 2 });
  }
});

function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const main = join(import.meta.dirname, '../src/main.ts');
  return spawnSync(process.execPath, [main, ...args], { encoding: 'utf8', env: {} });
}

test('--print-config prints YAML that --config takes', (t) => {
  const first = run('--print-config', '--config', fileWith(t, 'spool: {pollMs: 20}\n'));
  assert.equal(first.status, 0, first.stderr);
  assert.match(first.stdout, /^ {2}pollMs: 20$/m);
  assert.equal(run('--print-config', '--config', fileWith(t, first.stdout)).stdout, first.stdout);
});

test('--check says that the configuration is right before it asks ClickHouse', (t) => {
  const file = fileWith(t, 'clickhouse: {url: "http://127.0.0.1:1"}\n');
  const { status, stdout, stderr } = run('--check', '--config', file);
  assert.deepEqual([status, stdout], [1, `consumer configuration is right: ${file}\n`]);
  assert.match(stderr, /^tcptrail consumer: ClickHouse at .* does not answer .*\n$/);
});
