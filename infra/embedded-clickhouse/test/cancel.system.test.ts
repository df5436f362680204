import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, startEmbedded } from './embedded.ts';

const server = await startEmbedded();
const LONG = 'SELECT sum(sipHash64(number)) FROM numbers(1000000000000)';
const running = (condition: string): Promise<string> =>
  server.sql(`SELECT count() FROM system.processes WHERE ${condition}`);

test('a query ends when its client goes away', async () => {
  const client = new AbortController();
  const answer = server.ask({ query: LONG, query_id: 'left' }, { signal: client.signal });
  await eventually(
    () => running("query_id = 'left' AND read_rows > 0"),
    (count) => count === '1',
  );
  client.abort();
  await assert.rejects(answer);
  await eventually(
    () => running("query_id = 'left'"),
    (count) => count === '0',
  );
});

test('a query with bound parameters ends when its client goes away', async () => {
  const client = new AbortController();
  const query = 'SELECT sum(sipHash64(number + {a:UInt64})) FROM numbers(1000000000000)';
  const answer = server.ask({ query, query_id: 'bound', param_a: '1' }, { signal: client.signal });
  await eventually(
    () => running("query_id = 'bound' AND read_rows > 0"),
    (count) => count === '1',
  );
  client.abort();
  await assert.rejects(answer);
  // The engine's own list: whatever computes on.
  await eventually(
    () => running("query LIKE '%sipHash64(number + %' AND query NOT LIKE '%processes%'"),
    (count) => count === '0',
  );
});

test('KILL QUERY ends a query by the id its client gave, other queries go on', async () => {
  const answer = server.ask({ query: LONG, query_id: 'mine' });
  const other = server.ask({ query: LONG, query_id: 'other' });
  await eventually(
    () => running("query_id IN ('mine', 'other') AND read_rows > 0"),
    (count) => count === '2',
  );
  assert.match(
    await server.sql("KILL QUERY WHERE query_id = 'mine' SYNC"),
    /^waiting\tmine\tdefault\tSELECT sum/,
  );
  assert.match(await (await answer).text(), /^Code: 394\. .*\(QUERY_WAS_CANCELLED\)/);
  assert.equal(await running("query_id = 'other'"), '1');
  await server.sql("KILL QUERY WHERE query_id = 'other' ASYNC FORMAT JSON");
  assert.equal((await other).headers.get('x-clickhouse-exception-code'), '394');
});

test('two running queries cannot have the same id', async () => {
  const first = server.ask({ query: LONG, query_id: 'same' });
  await eventually(
    () => running("query_id = 'same'"),
    (count) => count === '1',
  );
  await assert.rejects(server.sql('SELECT 1', { query_id: 'same' }), /QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING/);
  await server.sql("KILL QUERY WHERE query_id = 'same' SYNC");
  await first;
});

test('a reader kills its own queries only', async () => {
  const writers = server.ask({ query: LONG, query_id: 'writers' });
  const readers = server.ask({ query: LONG, query_id: 'readers', user: 'reader' });
  await eventually(
    () => running("query_id IN ('writers', 'readers')"),
    (count) => count === '2',
  );
  await server.sql('KILL QUERY WHERE 1 SYNC', { user: 'reader' });
  assert.match(await (await readers).text(), /394/);
  assert.equal(await running("query_id = 'writers'"), '1');
  await server.sql("KILL QUERY WHERE query_id = 'writers' SYNC");
  await writers;
});

test('an insert whose client went away is seen by its log_comment until it ends', async () => {
  await server.sql('CREATE TABLE slow (a UInt64) ENGINE = MergeTree ORDER BY a');
  const client = new AbortController();
  const query = {
    query: 'INSERT INTO slow SELECT number + sleepEachRow(0.02) FROM numbers(50) SETTINGS max_block_size = 1',
    log_comment: 'p 7',
  };
  const answer = server.ask(query, { method: 'POST', signal: client.signal });
  const comments = (): Promise<string> => running("Settings['log_comment'] = 'p 7'");
  await eventually(comments, (count) => count === '1');
  client.abort();
  await assert.rejects(answer);
  assert.equal(await comments(), '1');
  await eventually(comments, (count) => count === '0');
  assert.equal(await server.sql('SELECT count() FROM slow'), '50');
});

test('queries beyond the places run wait, are listed, and get their turn', async () => {
  const ids = Array.from({ length: 8 }, (_, i) => `long ${i}`);
  const long = ids.slice(1).map((query_id) => server.ask({ query: LONG, query_id }));
  await eventually(
    () => running("query_id LIKE 'long %'"),
    (count) => count === '7',
  );
  const quick = Array.from({ length: 20 }, (_, i) => server.sql(`SELECT ${i}`));
  assert.deepEqual(
    await Promise.all(quick),
    quick.map((_, i) => String(i)),
  );
  await server.sql("KILL QUERY WHERE query_id LIKE 'long %' SYNC");
  await Promise.all(long);
});

test('with all places taken an INSERT that waits is listed, can be killed, and then never happens', async () => {
  const long = Array.from({ length: 8 }, (_, i) => server.ask({ query: LONG, query_id: `full ${i}` }));
  await eventually(
    () => running("query_id LIKE 'full %' AND read_rows > 0"),
    (count) => count === '8',
  );
  const query = { query: 'INSERT INTO slow FORMAT CSV', query_id: 'waits', log_comment: 'p 8' };
  const waits = server.ask(query, { method: 'POST', body: '77\n' });
  await eventually(
    () => running("Settings['log_comment'] = 'p 8'"),
    (count) => count === '1',
  );
  await server.sql("KILL QUERY WHERE query_id = 'waits' SYNC");
  assert.equal((await waits).headers.get('x-clickhouse-exception-code'), '394');
  await server.sql("KILL QUERY WHERE query_id LIKE 'full %' SYNC");
  await Promise.all(long);
  assert.equal(await server.sql('SELECT count() FROM slow WHERE a = 77'), '0');
});

test('a query beyond those that may wait is refused with code 202', async () => {
  const abort = new AbortController();
  const crowd = Array.from({ length: 108 }, () =>
    server
      .ask({ query: LONG, query_id: crypto.randomUUID() }, { signal: abort.signal })
      .catch(() => undefined),
  );
  const refused = await eventually(
    () => server.ask({ query: 'SELECT 1' }, { signal: AbortSignal.timeout(1000) }).catch(() => undefined),
    (a) => a?.status === 500,
  );
  assert.match((await refused?.text()) ?? '', /^Code: 202\. .*\(TOO_MANY_SIMULTANEOUS_QUERIES\)/);
  abort.abort();
  await Promise.all(crowd);
});
