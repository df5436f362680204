import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runToEnd, startEmbedded, temporaryFolder } from './embedded.ts';

test('a second server on the folder ends with one sentence and status 1', async () => {
  const folder = temporaryFolder();
  const first = await startEmbedded({ folder });
  const { status, stderr } = await runToEnd(['--data', folder, '--port', '0']);
  assert.equal(status, 1);
  assert.equal(
    JSON.parse(stderr).msg,
    `data folder ${folder} belongs to the server with pid ${first.process.pid}: stop it or choose another --data folder`,
  );
});

test('a taken port ends with the remedy and status 1', async () => {
  const first = await startEmbedded();
  const { status, stderr } = await runToEnd(['--data', temporaryFolder(), '--port', String(first.port)]);
  assert.equal(status, 1);
  assert.match(JSON.parse(stderr).msg, /^port \d+ on 127\.0\.0\.1 is taken: give another with --port/);
});

test('wrong usage ends with status 2 and says what', async () => {
  const folder = temporaryFolder();
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /no data folder: give --data/],
    [['--data', folder, '--nonsense'], /nonsense/],
    [['--data', folder, '--port', '99999'], /--port is '99999'/],
    [['--data', folder, '--password-file', '/nowhere'], /--password-file \/nowhere cannot be read/],
    [['--data', folder, '--host', '0.0.0.0'], /refusing to listen on 0\.0\.0\.0 without a password/],
  ];
  for (const [args, message] of cases) {
    const { status, stderr } = await runToEnd(args);
    assert.equal(status, 2, stderr);
    assert.match(JSON.parse(stderr).msg, message);
  }
});

test('SIGTERM lets a running insert end, gives the folder back and ends with status 0', async () => {
  const folder = temporaryFolder();
  const first = await startEmbedded({ folder });
  await first.sql('CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a');
  const insert = first.sql(
    'INSERT INTO t SELECT number + sleepEachRow(0.01) FROM numbers(50) SETTINGS max_block_size = 1',
  );
  for (;;)
    if ((await first.sql("SELECT count() FROM system.processes WHERE query LIKE 'INSERT%'")) === '1') break;
  first.process.kill('SIGTERM');
  await insert;
  const [status] = await once(first.process, 'exit');
  assert.equal(status, 0);
  const second = await startEmbedded({ folder });
  assert.equal(await second.sql('SELECT count() FROM t'), '50');
});

test('the lock of a server that was killed, and of a pid that came round again, does not hold', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'lock'), `${process.pid} 1\n`);
  const first = await startEmbedded({ folder });
  first.process.kill('SIGKILL');
  await once(first.process, 'exit');
  assert.equal(await (await startEmbedded({ folder })).sql('SELECT 1'), '1');
});
