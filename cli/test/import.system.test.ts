import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { capture, needsCapture } from '../../test/harness/captures.ts';
import { startServer, type TestServer } from '../../test/harness/server.ts';
import { until } from '../../test/harness/until.ts';
import { temporaryFolder } from '../../test/spool-writer.ts';
import { CLOSE, COLUMNS, HEADER, json, tsv } from './import/zeek-lines.ts';
import { isOneSentence, run, start } from './run-command.ts';

const CONN_DEV = 'security/conn-dev.tsv.gz';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server?.stop());

const file = (name: string, content: string | Uint8Array): string => {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, content);
  return path;
};
const log = (...lines: readonly string[]): string => `${lines.join('\n')}\n`;

const args = (name: string, ...rest: readonly string[]): readonly string[] => [
  'import',
  '--url',
  server.url,
  '--name',
  name,
  ...rest,
];

async function rows<T = Record<string, unknown>>(query: string): Promise<readonly T[]> {
  const result = await server.client.query({
    query,
    format: 'JSONEachRow',
    clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
  });
  return await result.json<T>();
}

/** What must not change when a file comes again. */
const tables = (name: string) =>
  rows(`SELECT count() AS n, sum(cityHash64(*)) AS hash FROM import_${name}.tcp_events
    UNION ALL SELECT count(), sum(cityHash64(*)) FROM import_${name}.tcp_batches`);

test('lines become connections of a database of their own, which do not age away', async () => {
  const path = file(
    'conn.log',
    log(
      ...HEADER,
      tsv(),
      tsv({ conn_state: 'REJ', history: 'Sr', 'id.orig_h': '2001:db8::7', 'id.resp_h': '2001:db8::8' }),
      tsv({ proto: 'udp' }),
      CLOSE,
    ),
  );
  const ended = await run(args('first', path));
  assert.equal(ended.stderr, '');
  assert.equal(ended.code, 0);
  assert.equal(
    ended.stdout,
    `${path}: 2 connections stored in import_first; of 12 lines 1 not TCP, 0 not readable\n`,
  );
  const found = await rows(
    `SELECT sensor, state, verdict, role, peer_address, peer_port, bytes_sent, duration_us, start_ts, length(boot_id) AS boot, host_name, doubts
     FROM import_first.connections ORDER BY socket_cookie`,
  );
  const both = {
    sensor: 'zeek',
    role: 'client',
    peer_port: 443,
    bytes_sent: 1030,
    duration_us: 84_044,
    start_ts: '2024-04-18 23:59:55.943239',
    boot: 64,
    host_name: 'conn.log',
    doubts: ['errno_unknown', 'owner_unknown'],
  };
  assert.deepEqual(found, [
    { ...both, state: 'closed', verdict: 'closed_local', peer_address: '::ffff:203.0.113.16' },
    { ...both, state: 'failed', verdict: 'refused', peer_address: '2001:db8::8' },
  ]);
  const asked = await run([
    ...['query', '--url', server.url, '--json', '--database', 'import_first'],
    'SELECT count() AS n FROM connections',
  ]);
  assert.equal(asked.stdout, '{"n":2}\n');
  const [account] = await rows(
    'SELECT numbered, rows, filtered, failed, stored, verdict FROM import_first.completeness',
  );
  assert.deepEqual(account, {
    numbered: 12,
    rows: 2,
    filtered: 10,
    failed: 0,
    stored: 2,
    verdict: 'complete',
  });
  const ageing = await rows(
    "SELECT name FROM system.tables WHERE database = 'import_first' AND engine_full LIKE '% TTL %'",
  );
  assert.deepEqual(ageing, []);
  const [views] = await rows<{ n: number }>(
    "SELECT (SELECT count() FROM import_first.ocsf_network_activity WHERE observation_point_id = 3) + (SELECT countIf(`observer.product` = 'zeek') FROM import_first.ecs_network) + (SELECT count() FROM import_first.failures) AS n",
  );
  assert.equal(views?.n, 5);
});

test('TSV, JSON lines and gzip of one log are the same connections', async () => {
  const changes = [
    {},
    { conn_state: 'S0', history: 'S', duration: '-', orig_bytes: '-' },
    { ts: '1713490000.000001' },
  ];
  const text = log(...HEADER, ...changes.map(tsv), CLOSE);
  const paths = [
    file('a.log', text),
    file('b.log.gz', gzipSync(text)),
    file('c.log', log(...changes.map(json))),
  ];
  const ended = await run(args('forms', '--json', ...paths));
  assert.equal(ended.code, 0, ended.stderr);
  const told = ended.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    told.map(({ is_new, connections }) => [is_new, connections]),
    [
      [true, 3],
      // Its content is that of the first.
      [false, 3],
      [true, 3],
    ],
  );
  const each = await rows(
    `SELECT count() AS n, uniqExact(boot_id) AS files FROM import_forms.connections
     GROUP BY start_ts, duration_us, verdict, local_address, local_port, bytes_sent, bytes_received, segs_out, community_id`,
  );
  assert.deepEqual(
    each,
    [1, 2, 3].map(() => ({ n: 2, files: 2 })),
  );
});

test('a line that cannot be read is told with its number and counted, and the others are stored', async () => {
  const many = Array.from({ length: 30 }, () => tsv({ 'id.resp_p': 'x' }));
  const path = file('conn.log', log(...HEADER, tsv(), 'cut off', ...many, tsv()));
  const ended = await run(args('bad', path));
  assert.equal(ended.code, 1);
  const lines = ended.stderr.trim().split('\n');
  assert.equal(lines[0], `tcptrail: ${path} line 10 is left out: it has 1 fields, and #fields names 21`);
  assert.equal(lines[1], `tcptrail: ${path} line 11 is left out: id.resp_p is "x", no port from 0 to 65535`);
  assert.equal(lines.length, 21);
  assert.equal(lines.at(-1), `tcptrail: ${path}: 11 more lines could not be read`);
  assert.match(ended.stdout, /2 connections stored in import_bad; of 41 lines 0 not TCP, 31 not readable/);
  const [account] = await rows('SELECT rows, failed, verdict FROM import_bad.completeness');
  assert.deepEqual(account, { rows: 2, failed: 31, verdict: 'counted_loss' });
});

const wrong: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['a file that is not there', ['/nowhere/conn.log'], /cannot read \/nowhere\/conn\.log \(ENOENT\)/],
  ['a folder', ['/tmp'], /cannot read \/tmp \(it is no regular file\)/],
  ['no file', [], /missing required argument 'file'/],
];
for (const [name, files, sentence] of wrong) {
  test(`${name} is one sentence with exit code 2`, async () => {
    const ended = await run(args('wrong', ...files));
    assert.equal(ended.code, 2, ended.stderr);
    assert.ok(isOneSentence(ended.stderr), ended.stderr);
    assert.match(ended.stderr, sentence);
  });
}

test('a name that is no part of a database is refused, gzip that is cut off makes nothing', async () => {
  const ended = await run(args('my-lab', '/nowhere'));
  assert.equal(ended.code, 2);
  assert.match(ended.stderr, /give 1 to 48 of a-z, 0-9 and _/);
  const text = log(
    ...HEADER,
    ...Array.from({ length: 5_000 }, (_, index) => tsv({ 'id.orig_p': String(index) })),
  );
  const cut = await run(args('cut', file('conn.log.gz', gzipSync(text).subarray(0, -1_000))));
  assert.equal(cut.code, 2);
  assert.ok(isOneSentence(cut.stderr), cut.stderr);
  assert.deepEqual(await rows("SELECT name FROM system.databases WHERE name = 'import_cut'"), []);
});

/** The rows of the real captures as Zeek's own files: those of the data set have its first columns and no header. */
function realLog(): { readonly text: string; readonly tcp: readonly (readonly string[])[] } {
  const SOURCE = [
    'ts',
    'id.orig_h',
    'id.orig_p',
    'id.resp_h',
    'id.resp_p',
    'proto',
    'service',
    'duration',
    'orig_bytes',
    'resp_bytes',
    'conn_state',
    'history',
    'orig_pkts',
    'orig_ip_bytes',
    'resp_pkts',
    'resp_ip_bytes',
  ];
  const all = gunzipSync(readFileSync(capture(CONN_DEV)))
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t').slice(1, 17));
  const lines = all.map((values) =>
    COLUMNS.map(([name]) => {
      const index = SOURCE.indexOf(name);
      return index < 0 ? '-' : values[index] || '-';
    }).join('\t'),
  );
  return {
    text: log([...HEADER, ...lines, CLOSE].join('\n')),
    tcp: all.filter((values) => values[5] === 'tcp'),
  };
}

test(
  '126,000 real lines are each there once, after a kill and a second time too',
  needsCapture(CONN_DEV),
  async () => {
    const { text, tcp } = realLog();
    const path = file('conn.log', text);
    const killed = start(args('real', path));
    await until(
      'the first rows',
      async () => {
        const [row] = await rows<{ n: number }>(
          "SELECT sum(rows) AS n FROM system.parts WHERE active AND database = 'import_real' AND table = 'tcp_events'",
        );
        if ((row?.n ?? 0) > 0) return true;
        assert.equal(killed.child.exitCode, null, killed.stderr());
        return false;
      },
      240_000,
    );
    killed.child.kill('SIGKILL');
    await killed.ended;
    const ended = await run(args('real', path), { env: { TCPTRAIL_HOME: temporaryFolder() } });
    assert.equal(ended.stderr, '');
    assert.equal(ended.code, 0);
    const stored = await tables('real');
    const again = await run(args('real', path));
    assert.match(again.stdout, /100,822 connections are in import_real already/);
    assert.deepEqual(await tables('real'), stored);

    const [sums] = await rows(
      `SELECT count() AS n, uniqExact(socket_cookie) AS cookies, sum(bytes_sent) AS sent, sum(bytes_received) AS received, sum(segs_out) AS out,
       countIf(verdict = 'refused') AS refused, countIf(state = 'failed') AS failed
     FROM import_real.connections`,
    );
    const sum = (column: number): number =>
      tcp.reduce((total, values) => total + Number(values[column] || 0), 0);
    const states = (...wanted: readonly string[]): number =>
      tcp.filter((values) => wanted.includes(values[10] ?? '')).length;
    assert.equal(tcp.length, 100_822);
    assert.deepEqual(sums, {
      n: tcp.length,
      cookies: tcp.length,
      sent: sum(8),
      received: sum(9),
      out: sum(12),
      refused: states('REJ'),
      failed: states('S0', 'REJ', 'RSTOS0', 'SH'),
    });
    const [account] = await rows('SELECT rows, stored, doubled, verdict FROM import_real.completeness');
    assert.deepEqual(account, { rows: tcp.length, stored: tcp.length, doubled: 0, verdict: 'complete' });
  },
);
