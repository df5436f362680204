import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CLICKHOUSE_FOLDER, migrationFiles, viewFiles } from '@tcptrail/consumer/migrate/files.ts';
import { startServer, type TestServer } from '../../test/harness/server.ts';
import { isOneSentence, run } from './run-command.ts';

const NAMES = [
  ...migrationFiles(CLICKHOUSE_FOLDER).map(({ name }) => name),
  ...viewFiles(CLICKHOUSE_FOLDER).map(({ name }) => `view ${name}`),
];

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server?.stop());

let databases = 0;
/** Arguments of a database of its own. */
const at = (database = `cli_${++databases}`): readonly string[] => [
  ...['--url', server.url, '--user', 'default', '--database', database],
];

const lines = (text: string): string[] => text.split('\n').filter(Boolean);

test('a plan names what is then applied, and after that there is nothing to do', async () => {
  const place = at();
  const plan = await run(['migrate', '--plan', ...place]);
  assert.deepEqual(
    [plan.code, lines(plan.stdout), plan.stderr],
    [0, NAMES.map((name) => `would apply ${name}`), ''],
  );
  const done = await run(['migrate', ...place]);
  assert.deepEqual([done.code, lines(done.stdout)], [0, NAMES.map((name) => `applied ${name}`)]);
  const again = await run(['migrate', ...place]);
  assert.match(again.stdout, /^database cli_\d+ at http:\S+ has everything\n$/);
  assert.equal((await run(['migrate', '--plan', '--json', ...place])).stdout, '');
});

test('the statements of a plan are what makes the database', async () => {
  const database = `cli_${++databases}`;
  const { stdout } = await run(['migrate', '--plan', '--json', ...at(database)]);
  await server.client.command({ query: `CREATE DATABASE ${database}` });
  for (const line of lines(stdout))
    for (const query of (JSON.parse(line) as { statements: string[] }).statements)
      await server.client.command({ query });
  const found = await server.client.query({
    query: `SELECT count() FROM ${database}.connections`,
    format: 'TabSeparated',
  });
  assert.equal((await found.text()).trim(), '0');
  const sql = await run(['migrate', '--plan', '--sql', ...at()]);
  assert.match(sql.stdout, /^-- 0001_raw\n[\s\S]*CREATE TABLE IF NOT EXISTS cli_\d+\.tcp_events /);
});

test('what is wrong ends in one sentence and its exit code', async () => {
  const cases: [readonly string[], number, RegExp][] = [
    [['--sql', ...at()], 2, /give --plan too/],
    [['--plan', '--cluster', 'none', ...at()], 2, /knows no cluster none/],
    [['--plan', '--cluster', 'a b', ...at()], 2, /CLICKHOUSE_CLUSTER is "a b"; give/],
    [['--url', 'http://127.0.0.1:1'], 1, /does not answer/],
  ];
  for (const [args, code, says] of cases) {
    const ended = await run(['migrate', ...args]);
    assert.equal(ended.code, code, ended.stderr);
    assert.match(ended.stderr, says);
    assert.ok(isOneSentence(ended.stderr), ended.stderr);
  }
});
