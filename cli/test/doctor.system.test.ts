import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from './run-command.ts';
import { createStoredEvents, migrated } from './stored-events.ts';

interface Told {
  readonly name: string;
  readonly status: string;
  readonly found: string;
  readonly remedy: string;
}

async function doctor(...args: readonly string[]): Promise<{ code: number | null; checks: readonly Told[] }> {
  const ended = await run(['doctor', '--json', '--home', '/tmp/tcptrail-is-not-here', ...args]);
  assert.equal(ended.stderr, '');
  const checks = ended.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Told);
  return { code: ended.code, checks };
}
const named = (checks: readonly Told[], name: string): Told | undefined =>
  checks.find((check) => check.name === name);

test('a ClickHouse that was named and does not answer is a failure with its remedy, exit code 1', async () => {
  const { code, checks } = await doctor('--url', 'http://127.0.0.1:1');
  assert.equal(code, 1);
  assert.equal(named(checks, 'ClickHouse')?.status, 'fail');
  assert.match(named(checks, 'ClickHouse')?.found ?? '', /does not answer at http:\/\/127\.0\.0\.1:1/);
  assert.match(named(checks, 'ClickHouse')?.remedy ?? '', /tcptrail up/);
});

test('a wrong password is a failure with its remedy, exit code 1', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tcptrail-password-'));
  const file = join(folder, 'password');
  writeFileSync(file, 'secret\n');
  const server = await createStoredEvents(['--password-file', file]);
  try {
    const { code, checks } = await doctor('--url', server.url);
    assert.equal(code, 1);
    assert.match(named(checks, 'ClickHouse')?.found ?? '', /refuses user default/);
    assert.match(named(checks, 'ClickHouse')?.remedy ?? '', /--password-file/);
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true });
  }
});

test('missing tables are a warning; with them what is stored is looked at', async () => {
  const server = await createStoredEvents();
  try {
    const before = await doctor('--url', server.url, '--database', 'default');
    assert.equal(before.code, 0);
    assert.deepEqual(named(before.checks, 'schema'), {
      name: 'schema',
      status: 'warn',
      found: 'no tables yet',
      remedy: "start 'tcptrail up' or 'tcptrail consumer' once",
    });
    await migrated(server);
    const after = await doctor('--url', server.url);
    assert.equal(named(after.checks, 'schema')?.status, 'ok');
    assert.equal(named(after.checks, 'flow')?.status, 'warn');
    assert.equal(named(after.checks, 'completeness')?.status, 'ok');
  } finally {
    await server.stop();
  }
});
