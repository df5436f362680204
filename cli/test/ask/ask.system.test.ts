import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { storedForm } from '../../../test/predicted-values.ts';
import { type Ended, isOneSentence, type RunOptions, run, start } from '../run-command.ts';
import { createStoredEvents, migrated, type StoredEvents } from '../stored-events.ts';
import { until } from '../until.ts';
import { bin, eventRows, iso } from './scene.ts';
import { TRAFFIC } from './scenes/traffic.ts';

const SCENES = TRAFFIC.filter(({ question }) => question === 'top-talkers');
const WINDOW = ['--since', iso(0), '--until', iso(60)];
const HOSTS = ['--host', 'top-talkers-a,top-talkers-b'];

const folder = mkdtempSync(join(tmpdir(), 'tcptrail-ask-'));
let stored: StoredEvents;
before(async () => {
  stored = await createStoredEvents();
});
after(async () => {
  await stored?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const ask = (args: readonly string[], options: RunOptions = {}): Promise<Ended> =>
  run(['ask', '--url', stored.url, ...args], options);
const talkers = (...args: readonly string[]): Promise<Ended> =>
  ask(['top-talkers', ...WINDOW, ...HOSTS, ...args]);

test('before anything was stored, one sentence says so', async () => {
  const ended = await ask(['top-talkers']);
  assert.equal(ended.code, 1);
  assert.ok(isOneSentence(ended.stderr), ended.stderr);
  assert.match(ended.stderr, /no tcptrail tables in database tcptrail; start 'tcptrail up'/);
});

test('without a terminal the answer is a plain table with values as they are stored', async () => {
  await migrated(stored);
  await stored.execute(
    `INSERT INTO tcptrail.tcp_events FORMAT JSONEachRow\n${eventRows(SCENES)
      .map((row) => JSON.stringify(storedForm(row)))
      .join('\n')}`,
  );
  assert.deepEqual(await talkers(), {
    code: 0,
    signal: null,
    stderr: '',
    stdout: `host_name      executable       role    service_port  connections  bytes_sent  bytes_received  bytes
─────────────  ───────────────  ──────  ────────────  ───────────  ──────────  ──────────────  ─────
top-talkers-a  /usr/sbin/nginx  server            80            1        1000               0   1000
top-talkers-a  /usr/bin/curl    client           443            2         150              15    165
top-talkers-b  /usr/bin/curl    client           443           10          30              20     50
`,
  });
});

test('without --host it is asked of every host', async () => {
  const ended = await ask(['top-talkers', ...WINDOW, '--format', 'json']);
  const hosts = ended.stdout
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { host_name: string }).host_name);
  assert.deepEqual(new Set(hosts), new Set(['top-talkers-a', 'top-talkers-b', 'top-talkers-decoy']));
});

test('a host is named by its id too', async () => {
  const ended = await ask(['top-talkers', ...WINDOW, '--host', 'id-top-talkers-b', '--format', 'csv']);
  assert.match(ended.stdout, /\n"top-talkers-b","\/usr\/bin\/curl","client",443,10,30,20,50\n$/);
});

test('json is one object a line, csv has a head', async () => {
  const json = await talkers('--format', 'json', '--limit', '1');
  assert.match(json.stdout, /^\{[^\n]*\}\n$/);
  assert.deepEqual(JSON.parse(json.stdout), {
    host_name: 'top-talkers-a',
    executable: '/usr/sbin/nginx',
    role: 'server',
    service_port: 80,
    connections: 1,
    bytes_sent: 1000,
    bytes_received: 0,
    bytes: 1000,
  });
  const csv = await talkers('--format', 'csv', '-n', '1');
  assert.equal(
    csv.stdout,
    '"host_name","executable","role","service_port","connections","bytes_sent","bytes_received","bytes"\n' +
      '"top-talkers-a","/usr/sbin/nginx","server",80,1,1000,0,1000\n',
  );
});

test('csv has names as the kernel has them, which may be any bytes', async () => {
  await stored.execute(
    `INSERT INTO tcptrail.tcp_events (day, ts, host_name, host_id, kind, role, executable, connections, bytes_sent, peer_port)
     VALUES ('${bin(1).slice(0, 10)}', '${bin(1)}', 'bytes', 'bytes', 'close', 'client', unhex('2FFF80C3A4'), 1, 1, 443)`,
  );
  const path = join(folder, 'bytes.csv');
  const ended = await ask([
    ...['top-talkers', ...WINDOW, '--host', 'bytes'],
    ...['--format', 'csv', '--output', path],
  ]);
  assert.equal(ended.code, 0, ended.stderr);
  const bytes = readFileSync(path);
  rmSync(path);
  assert.ok(bytes.includes(Buffer.from('"bytes","/\xff\x80\xc3\xa4","client"', 'latin1')));
});

test('an answer without rows says so on stderr', async () => {
  for (const format of ['table', 'json']) {
    const ended = await ask(['top-talkers', '--since', iso(200), '--until', iso(205), '--format', format]);
    assert.equal(ended.code, 0);
    assert.equal(ended.stderr, '0 rows\n');
  }
});

test('an answer that is cut says so, and nothing but the answer is on stdout', async () => {
  for (const format of ['table', 'json', 'csv', 'parquet']) {
    const file = join(folder, `cut.${format}`);
    const two = await talkers('--format', format, '--limit', '2', '--output', file);
    assert.equal(two.stderr, 'the first 2 rows; there are more: give a larger --limit\n', format);
    const all = await talkers('--format', format, '--limit', '3', '--output', `${file}.all`);
    assert.equal(all.stderr, '', format);
    if (format === 'json' || format === 'csv') {
      const [cut, whole] = [file, `${file}.all`].map((each) => readFileSync(each, 'utf8').split('\n'));
      assert.deepEqual(cut?.slice(0, -1), whole?.slice(0, -2), format);
    }
    rmSync(file);
    rmSync(`${file}.all`);
  }
});

test('an answer of whole bins tells its window', async () => {
  const ended = await ask([...['top-talkers', '--since', iso(2), '--until', iso(58)], ...HOSTS]);
  assert.equal(
    ended.stderr,
    `the window is ${bin(0)} to ${bin(60)}: connections_5m holds sums of five minutes\n`,
  );
  const explained = await ask(['traffic-by-hour', '--since', iso(2), '--until', iso(60), '--explain']);
  assert.ok(explained.stdout.includes(`-- the window is ${bin(0)} to ${bin(60)}: connections_1h holds`));
});

test('parquet goes to a file, and holds the rows', async () => {
  const file = join(folder, 'talkers.parquet');
  const ended = await talkers('--format', 'parquet', '--output', file);
  assert.deepEqual(ended, { code: 0, signal: null, stderr: '', stdout: '' });
  assert.deepEqual(readdirSync(folder), ['talkers.parquet']);
  await stored.execute('CREATE TABLE talkers (host_name String, bytes UInt64) ENGINE = Memory');
  const loaded = await fetch(
    `${stored.url}/?query=${encodeURIComponent('INSERT INTO talkers FORMAT Parquet')}`,
    {
      method: 'POST',
      body: readFileSync(file),
    },
  );
  assert.ok(loaded.ok, await loaded.text());
  assert.equal(
    await stored.execute('SELECT host_name, bytes FROM talkers ORDER BY bytes FORMAT CSV'),
    '"top-talkers-b",50\n"top-talkers-a",165\n"top-talkers-a",1000\n',
  );
});

test('a file that cannot be written is one sentence, and what fails leaves none', async () => {
  const nowhere = await talkers('--output', join(folder, 'no', 'talkers.csv'));
  assert.equal(nowhere.code, 1);
  assert.match(nowhere.stderr, /cannot write .*talkers\.csv \(ENOENT\); make room, or give another path/);
  const failed = await talkers('--database', 'nowhere', '--output', join(folder, 'failed'));
  assert.equal(failed.code, 1);
  assert.ok(isOneSentence(failed.stderr), failed.stderr);
  assert.deepEqual(readdirSync(folder), ['talkers.parquet']);
});

test('wrong usage is one sentence with the remedy and exit code 2', async () => {
  const refused: readonly (readonly [readonly string[], RegExp])[] = [
    [['top-talker'], /there is no question top-talker; did you mean top-talkers/],
    [['xyzzy'], /there is no question xyzzy; see 'tcptrail ask --list'/],
    [['--list', 'xyzzy'], /no question has the words xyzzy/],
    [['who-talked-to'], /who-talked-to needs --address <value> \(The address.*--explain'/],
    [['who-talked-to', '--adress', '::1'], /unknown option '--adress' \(Did you mean --address\?\)/],
    [['who-talked-to', '--address', '10.0.0'], /give an address such as 10\.0\.0\.1 or 2001:db8::1/],
    [['--address', '::1', 'who-talked-to'], /--address stands before the question's name/],
    [
      ['who-talked-to-network', '--network', '10.0.0.0/200'],
      /10\.0\.0\.0\/200 is no network; give one such as 10\.0\.0\.0\/8 or 2001:db8::\/32/,
    ],
    [['who-talked-to-network', '--network', '2001:db8::/129'], /2001:db8::\/129 is no network/],
    [['uploads-outside', '--networks', '10.0.0.0/8,10.0.0.1'], /10\.0\.0\.1 is no network/],
    [['what-changed', '--since', '2026-11-28T10:01', '--until', '2026-11-28T10:02'], /end of no bin of five/],
    [['alive-across', '--hours', '65536'], /give a whole number from 0 to 65535/],
    [['beacons', '--spread-percent-max', 'much'], /give a number/],
    [['top-talkers', 'more'], /too many arguments|unknown/],
    [['top-talkers', '--since', 'yesterday'], /yesterday is no time such as 90m, 12h, 3d or 2026-/],
    [
      ['top-talkers', '--since', '1h', '--until', '2h'],
      /the window from .* is empty; give --since before --until/,
    ],
    [['top-talkers', '--format', 'xml'], /Allowed choices are table, json, csv, parquet/],
  ];
  const ended = await Promise.all(refused.map(([args]) => ask(args)));
  for (const [index, { code, stderr }] of ended.entries()) {
    assert.equal(code, 2, stderr);
    assert.ok(isOneSentence(stderr), stderr);
    assert.match(stderr, refused[index]?.[1] ?? /never/);
  }
});

test('without a name the questions are listed, with --list those that hold the words', async () => {
  const all = (await run(['ask'])).stdout.split('\n');
  assert.ok(
    all.some((line) => /^who-talked-to +Who talked to this address, ever\? \(--address\)$/.test(line)),
  );
  const found = (await run(['ask', '--list', 'beacon', 'intervals'])).stdout;
  assert.match(found, /^beacons {2}Which programs call one peer at even intervals\?\n$/);
});

test('--explain tells why, parameters, the SQL as it would run, and what it would read', async () => {
  const ended = await ask(['with-peer', '--address', '10.9.0.1', ...WINDOW, '--host', "it's", '--explain']);
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(
    ended.stdout,
    /^Which single connections were there with this address\?\nFrom an address to the proc/,
  );
  assert.match(ended.stdout, / {2}--address +IPv6 +required +The address/);
  assert.match(ended.stdout, / {2}--limit +UInt32 +default 100 +Rows at most\./);
  assert.match(ended.stdout, /SET param_hosts = '\[\\'it\\\\\\'s\\'\]';\n/);
  assert.match(ended.stdout, /What it would read\n {2}tcp_events +at most \d+ rows in \d+ part/);
  // What it prints runs as it is.
  const sql = ended.stdout.slice(
    ended.stdout.indexOf('WITH\n'),
    ended.stdout.indexOf(';\n\nWhat it would read'),
  );
  const bound = [...ended.stdout.matchAll(/^SET param_(\w+) = '(.*)';$/gm)].map(
    ([, name, value = '']) => [`param_${name}`, value.replace(/\\(.)/g, '$1')] as const,
  );
  const answer = await fetch(
    `${stored.url}/?database=tcptrail&${new URLSearchParams(bound.map(([...pair]) => pair))}`,
    {
      method: 'POST',
      body: sql,
    },
  );
  assert.ok(answer.ok, await answer.text());
});

test('--explain needs no parameter, and says what must be given', async () => {
  const ended = await ask(['who-talked-to', '--explain']);
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(ended.stdout, /-- --address must be given: The address, IPv4 or IPv6\./);
});

test('Ctrl-C cancels the question on the server and leaves no file', async () => {
  const file = join(folder, 'cancelled.csv');
  // Events without end.
  await stored.execute('RENAME TABLE tcptrail.tcp_events TO tcptrail.tcp_events_kept');
  await stored.execute(
    'CREATE VIEW tcptrail.tcp_events AS SELECT kept.* FROM numbers(1000000000000) AS n CROSS JOIN tcptrail.tcp_events_kept AS kept',
  );
  const running = start(['ask', '--url', stored.url, 'ownerless', ...WINDOW, '--output', file]);
  const queries = async (): Promise<number> =>
    Number(
      await stored.execute(
        "SELECT countIf(query LIKE '%AS ownerless%' AND query NOT LIKE '%countIf%') FROM system.processes",
      ),
    );
  try {
    await until('the question', async () => (await queries()) > 0);
  } finally {
    running.child.kill('SIGINT');
  }
  assert.equal((await running.ended).code, 130);
  await until('its end', async () => (await queries()) === 0);
  assert.ok(!existsSync(file) && !existsSync(`${file}.part`));
});
