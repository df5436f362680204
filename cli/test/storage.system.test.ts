import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { closeDaysAlone } from '@tcptrail/consumer/keeping.ts';
import { migrate } from '@tcptrail/consumer/migrate/migrate.ts';
import { type ClickHouse, createClickHouse } from '@tcptrail/consumer/store/clickhouse.ts';
import { startServer, type TestServer } from '../../test/harness/server.ts';
import { isOneSentence, run } from './run-command.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server?.stop());

let databases = 0;
function connect(database: string): ClickHouse {
  const { url } = server;
  const clickhouse = createClickHouse({
    url,
    username: 'default',
    password: '',
    database,
    requestWaitMsMax: 60_000,
  });
  after(() => clickhouse.close());
  return clickhouse;
}

async function createTables(): Promise<string> {
  const database = `storage_${++databases}`;
  await migrate(connect(database));
  return database;
}

const command = (query: string): Promise<unknown> => server.client.command({ query });
async function value(query: string): Promise<number> {
  const answer = await server.client.query({ query, format: 'TabSeparated' });
  return Number(await answer.text());
}

const ROWS = 120_000;
const HOSTS = 4;
const HOURS = 12;
/** Four hosts, each for the same twelve hours of yesterday. */
const HOST_DAYS = (HOSTS * HOURS) / 24;

/** Yesterday's rows, ever one of each host and of times that grow; half the ports and sizes are noise. */
async function fill(database: string): Promise<void> {
  await command(
    `INSERT INTO ${database}.tcp_events (day, host_id, host_name, kind, ts, seq, cpu, socket_cookie, peer_address, local_port, peer_port, rtt_us, bytes_sent, bytes_received, comm, executable, pid, origin, origin_offset)
     SELECT yesterday(), concat('host-', toString(number % ${HOSTS})) AS host, host, 'close',
            toDateTime64(yesterday(), 6, 'UTC') + toIntervalMicrosecond(intDiv(number * ${HOURS} * 3600, ${ROWS}) * 1000000 + sipHash64(number) % 1000000),
            number, number % 8, intDiv(number, ${HOSTS}), toIPv6(concat('::ffff:10.0.', toString(sipHash64(number, 1) % 3), '.', toString(sipHash64(number, 2) % 250))),
            sipHash64(number, 3) % 28000 + 32000, 443, sipHash64(number, 4) % 9000, sipHash64(number, 5) % 100000, sipHash64(number, 6) % 1000000,
            concat('program-', toString(sipHash64(number, 7) % 20)) AS program, concat('/usr/bin/', program), sipHash64(number, 7) % 20 + 1000, 'made', number
     FROM numbers(${ROWS})`,
  );
  await command(
    `INSERT INTO ${database}.tcp_batches (day, host_id, batch_ts, batch_seq)
     SELECT yesterday(), concat('host-', toString(number % ${HOSTS})), toDateTime64(yesterday(), 6, 'UTC') + toIntervalHour(intDiv(number, ${HOSTS})), number
     FROM numbers(${HOSTS * HOURS})`,
  );
}

interface Line {
  readonly kind: string;
  readonly table: string;
  readonly [name: string]: number | string;
}

async function storage(
  database: string,
  ...args: readonly string[]
): Promise<{ lines: Line[]; stderr: string }> {
  const ended = await run(['storage', '--json', '--url', server.url, '--database', database, ...args]);
  assert.equal(ended.code, 0, ended.stderr);
  const lines = ended.stdout.split('\n').filter(Boolean);
  return { lines: lines.map((line) => JSON.parse(line) as Line), stderr: ended.stderr };
}

const of = (lines: readonly Line[], kind: string, table = 'tcp_events'): Line[] =>
  lines.filter((line) => line.kind === kind && line.table === table);
const sum = (lines: readonly Line[], name: string): number =>
  lines.reduce((total, line) => total + Number(line[name]), 0);
const within = (share: number, got: number, real: number): void =>
  assert.ok(Math.abs(got - real) <= share * real, `${got} is not within ${share} of ${real}`);

/** Merges all parts into wide ones; bytes on disk of the table, and of its columns alone. */
async function mergeWide(database: string): Promise<{ bytes: number; columnBytes: number }> {
  await command(`ALTER TABLE ${database}.tcp_events MODIFY SETTING min_bytes_for_wide_part = 0`);
  await command(`OPTIMIZE TABLE ${database}.tcp_events FINAL`);
  const sumOf = (what: string): Promise<number> =>
    value(
      `SELECT sum(${what}) FROM system.parts WHERE database = '${database}' AND table = 'tcp_events' AND active`,
    );
  return {
    bytes: await sumOf('bytes_on_disk'),
    columnBytes: await sumOf('data_compressed_bytes + marks_bytes'),
  };
}

test('columns of compact parts are what the merged table takes, and of wide ones what it takes', async () => {
  const database = await createTables();
  await fill(database);
  const compact = await storage(database, '--user', 'default');
  const [before] = of(compact.lines, 'table');
  assert.equal(before?.['compact_rows'], ROWS);
  assert.equal(before?.['sample_rows'], ROWS);
  const few = await storage(database, '--user', 'default', '--sample-rows', '20000');
  const [sampled] = of(few.lines, 'table');
  assert.ok(Number(sampled?.['sample_rows']) < ROWS / 4, String(sampled?.['sample_rows']));

  const { bytes, columnBytes } = await mergeWide(database);
  within(0.02, sum(of(compact.lines, 'column'), 'bytes_per_row') * ROWS, columnBytes);
  within(0.05, Number(before?.['merged_bytes_per_row']) * ROWS, bytes);
  within(0.15, sum(of(few.lines, 'column'), 'bytes_per_row') * ROWS, columnBytes);

  const wide = await storage(database);
  const [after] = of(wide.lines, 'table');
  assert.deepEqual([after?.['compact_rows'], after?.['bytes']], [0, bytes]);
  within(1e-9, sum(of(wide.lines, 'column'), 'bytes_per_row') * ROWS, columnBytes);
  const [seq] = of(wide.lines, 'column').filter(({ column }) => column === 'seq');
  assert.equal(Number(seq?.['raw_bytes_per_row']), 8);
  assert.ok(of(wide.lines, 'index').some(({ name }) => name === 'peer'));
  const left = await value(
    `SELECT count() FROM system.tables WHERE database = '${database}' AND name LIKE 'storage_sample_%'`,
  );
  assert.equal(left, 0);
});

test('the forecast is what a hand makes of the figures beside it', async () => {
  const database = await createTables();
  await fill(database);
  const { lines } = await storage(database, '--user', 'default', '--hosts', '500');
  const [table] = of(lines, 'table');
  const [forecast] = of(lines, 'forecast');
  const perRow = Number(table?.['merged_bytes_per_row']);
  const perHostDay = (ROWS / HOST_DAYS) * perRow;
  assert.equal(forecast?.['rows_per_host_day'], ROWS / HOST_DAYS);
  assert.equal(table?.['kept_days'], 7);
  within(1e-9, Number(forecast?.['bytes_per_host']), perHostDay * 7);
  within(1e-9, Number(forecast?.['bytes']), perHostDay * 7 * 500);
  within(1e-9, Number(forecast?.['bytes_per_host_year']), perHostDay * 365);
  const [seen] = of((await storage(database)).lines, 'forecast');
  assert.equal(seen?.['hosts'], HOSTS);
});

test('a tier of closed days is forecast by the days of its hosts, and kept as long as it says', async () => {
  const database = await createTables();
  await fill(database);
  const unclosed = await run(['storage', '--url', server.url, '--database', database]);
  assert.match(unclosed.stdout, /^Not in the forecast, as they hold nothing yet: .*tier_1h/m);
  const clickhouse = connect(database);
  await closeDaysAlone(clickhouse, Date.now() + 3 * 3_600_000);
  const { lines } = await storage(database, '--user', 'default', '--hosts', '10');
  for (const [tier, days] of [
    ['tier_5m', 30],
    ['tier_1h', (13 * 365.25) / 12],
  ] as const) {
    const [table] = of(lines, 'table', tier);
    const [forecast] = of(lines, 'forecast', tier);
    assert.equal(forecast?.['kept_days'], days);
    const rows = Number(table?.['rows']) / HOSTS;
    assert.equal(forecast?.['rows_per_host_day'], rows);
    within(1e-9, Number(forecast?.['bytes']), rows * Number(forecast?.['bytes_per_row']) * days * 10);
  }
});

test('a reader is told in one sentence what it cannot measure, and gets the rest', async () => {
  const database = await createTables();
  await fill(database);
  const { lines, stderr } = await storage(database);
  assert.match(
    stderr,
    /^columns of compact parts are not measured, as user reader may not create a table; give --user [^\n]+\n$/,
  );
  assert.equal(of(lines, 'column').length, 0);
  const [table] = of(lines, 'table');
  assert.deepEqual([table?.['rows'], table?.['merged_bytes_per_row']], [ROWS, null]);
  const [forecast] = of(lines, 'forecast');
  assert.equal(forecast?.['bytes_per_row'], table?.['bytes_per_row']);
});

test('the tables for people name what they hold', async () => {
  const database = await createTables();
  await fill(database);
  const args = [
    'storage',
    '--url',
    server.url,
    '--database',
    database,
    '--user',
    'default',
    '--hosts',
    '1000',
  ];
  const { stdout } = await run(args);
  for (const says of [
    /^tcp_events +120,000 /m,
    /^tcp_events +index +peer /m,
    /^Columns of tcp_events, 120,000 rows measured/m,
    /^Forecast for 1,000 hosts/m,
  ])
    assert.match(stdout, says);
  const all = await run([...args, '--table', 'tcp_batches']);
  assert.match(all.stdout, /^batch_seq /m);
});

test('what is wrong ends in one sentence', async () => {
  const database = await createTables();
  const cases: [readonly string[], number, RegExp][] = [
    [['--database', 'nothing_here'], 1, /has no tcptrail tables in database nothing_here/],
    [['--database', database, '--table', 'tcp_events'], 2, /no table tcp_events with rows/],
    [['--hosts', '0'], 2, /whole number/],
  ];
  for (const [args, code, says] of cases) {
    const ended = await run(['storage', '--url', server.url, ...args]);
    assert.equal(ended.code, code, ended.stderr);
    assert.match(ended.stderr, says);
    assert.ok(isOneSentence(ended.stderr), ended.stderr);
  }
});
