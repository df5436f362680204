import assert from 'node:assert/strict';
import { chmodSync, chownSync, readFileSync, truncateSync } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { agentHome, runningAgent } from '../../../agent/test/support/agent-process.ts';
import { converse, echoServer } from '../../../agent/test/support/connections.ts';
import { needsRoot } from '../../../agent/test/support/needs-root.ts';
import { createSpool } from '../../../test/spool-writer.ts';
import { isOneSentence, run } from '../run-command.ts';
import { until } from '../until.ts';

interface Row {
  readonly kind: string;
  readonly role: string;
  readonly local_port: number;
  readonly peer_address: string;
  readonly peer_port: number;
}

interface Listed {
  readonly rows: number;
  readonly writing: boolean;
}

interface Verified {
  readonly rows: number;
  readonly damages: readonly unknown[];
}

const NOBODY = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups'];
const parsed = <T>(text: string): T[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);

test('a spool that an agent writes is listed, printed and without damage', needsRoot, async (t) => {
  const home = agentHome(t);
  const agent = await runningAgent(t, home);
  const echo = await echoServer(t, '127.0.0.1');
  const locals: number[] = [];
  for (let count = 0; count < 20; count++) locals.push(await converse('127.0.0.1', echo.port));
  await echo.stop();
  const at = ['--path', home.spoolPath];
  const closes = async (): Promise<number[]> => {
    const ended = await run(['spool', 'cat', ...at]);
    assert.deepEqual([ended.code, ended.stderr], [0, '']);
    return parsed<Row>(ended.stdout)
      .filter((row) => row.kind === 'close' && row.role === 'client' && row.peer_port === echo.port)
      .map((row) => row.local_port)
      .toSorted((a, b) => a - b);
  };
  const wanted = locals.toSorted((a, b) => a - b);
  await until('the connections to be in the spool', async () => (await closes()).length >= wanted.length);
  assert.deepEqual(await closes(), wanted);

  const verified = await run(['spool', 'verify', '--json', ...at]);
  assert.equal(verified.code, 0, verified.stdout);
  assert.ok(parsed<Verified>(verified.stdout).every(({ damages }) => damages.length === 0));
  const listed = await run(['spool', 'ls', '--json', ...at]);
  const segments = parsed<Listed>(listed.stdout);
  assert.deepEqual(
    segments.map(({ writing }) => writing),
    [true],
  );
  assert.ok((segments[0]?.rows ?? 0) >= 2 * wanted.length);
  const table = await run(['spool', 'ls', ...at]);
  assert.match(table.stdout, /^segment +batches +rows .*\n─.*\n.* writing +1 /);

  agent.child.kill('SIGTERM');
  await agent.ended();
  const after = parsed<Listed>((await run(['spool', 'ls', '--json', ...at])).stdout);
  assert.deepEqual(
    after.map(({ writing }) => writing),
    [false],
  );
});

test('damage is told where it is, exit code 1; what is whole is printed', async () => {
  const spool = createSpool();
  spool.batch(3);
  const from = readFileSync(spool.file).length;
  spool.batch(4);
  truncateSync(spool.file, readFileSync(spool.file).length - 3);
  const verified = await run(['spool', 'verify', '--path', spool.path]);
  assert.equal(verified.code, 1);
  assert.match(verified.stdout, /^✘ \d{16}-00000001\.avro: 1 batch, 3 rows, /);
  assert.match(
    verified.stdout,
    new RegExp(`\n  SEGMENT_TORN byte ${from}, \\d+ bytes: it ends inside a block`),
  );
  assert.match(verified.stdout, /\n\n.*: 1 batch, 3 rows, 1 damage of \d+ B; readers pass over it/);
  const cat = await run(['spool', 'cat', '--path', spool.path]);
  assert.equal(cat.code, 1);
  assert.equal(parsed(cat.stdout).length, 3);
  assert.ok(isOneSentence(cat.stderr), cat.stderr);
});

test(
  'without root a spool whose files allow it is read, another is one sentence with the remedy',
  needsRoot,
  async () => {
    const spool = createSpool();
    spool.batch(3);
    chmodSync(dirname(spool.path), 0o755);
    chownSync(spool.path, 0, 65_534);
    chmodSync(spool.path, 0o750);
    chownSync(spool.file, 0, 65_534);
    chmodSync(spool.file, 0o640);
    const args = ['spool', 'ls', '--json', '--path', spool.path];
    const allowed = await run(args, { as: NOBODY });
    assert.deepEqual([allowed.code, allowed.stderr], [0, '']);
    assert.equal(parsed<Listed>(allowed.stdout)[0]?.rows, 3);
    chmodSync(spool.file, 0o600);
    const unreadable = await run(args, { as: NOBODY });
    chmodSync(spool.path, 0o700);
    const closed = await run(args, { as: NOBODY });
    for (const ended of [unreadable, closed]) {
      assert.equal(ended.code, 1);
      assert.ok(isOneSentence(ended.stderr), ended.stderr);
      assert.match(
        ended.stderr,
        /cannot read \S+ \(EACCES\); run it as root or as a user of the group tcptrail/,
      );
    }
  },
);

test('where no spool is, it says so with exit code 1, and takes the one that the agent is configured for', async () => {
  for (const command of ['ls', 'cat', 'verify']) {
    const ended = await run(['spool', command], {
      env: { TCPTRAIL_SPOOL_PATH: '/tmp/tcptrail-is-not-here' },
    });
    assert.equal(ended.code, 1);
    assert.ok(isOneSentence(ended.stderr), ended.stderr);
    assert.match(ended.stderr, /there is no spool at \/tmp\/tcptrail-is-not-here; start .* --path/);
  }
});
