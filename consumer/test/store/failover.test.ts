import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failure } from '../../src/errors.ts';
import type { ClickHouse } from '../../src/store/clickhouse.ts';
import { createFailover } from '../../src/store/failover.ts';

/** One address, with the table of that identity; '' before it is made. */
function createAddress(url: string, identity: string) {
  const asked: string[] = [];
  const address = {
    url,
    database: 'db',
    cluster: '',
    isAway: false,
    isReadOnly: false,
    asked,
    async query<T>(sql: string): Promise<T[]> {
      asked.push(sql.includes('AS identity') ? 'identity' : sql);
      if (address.isAway) throw failure('CLICKHOUSE_UNREACHABLE', `${url} does not answer`);
      return [{ identity }] as T[];
    },
    async statement() {},
    async insert() {
      asked.push('insert');
      if (address.isAway) throw failure('CLICKHOUSE_UNREACHABLE', `${url} does not answer`);
      if (address.isReadOnly) throw failure('CLICKHOUSE_UNWRITABLE', `${url} takes no rows`);
      return undefined;
    },
    async close() {},
  };
  return address satisfies ClickHouse;
}

const INSERT = { query: '', body: new Uint8Array(), settings: {} };

test('an address that does not answer at all gives way to the next at once: nothing was sent', async () => {
  const [first, second] = [createAddress('a', 'one'), createAddress('b', 'one')];
  first.isAway = true;
  const clickhouse = createFailover([first, second]);
  await clickhouse.query('SELECT 1');
  assert.deepEqual([first.asked, second.asked], [['identity'], ['identity', 'SELECT 1']]);
  assert.equal(clickhouse.url, 'b');
});

test('an INSERT without an answer is not sent again; the next question goes to the next address', async () => {
  const [first, second] = [createAddress('a', 'one'), createAddress('b', 'one')];
  const clickhouse = createFailover([first, second]);
  await clickhouse.insert(INSERT);
  first.isAway = true;
  await assert.rejects(clickhouse.insert(INSERT), { code: 'CLICKHOUSE_UNREACHABLE' });
  assert.deepEqual(second.asked, []);
  await clickhouse.query('SELECT 1');
  assert.deepEqual(second.asked, ['identity', 'SELECT 1']);
});

test('a replica that answers and takes no rows gives way to the next', async () => {
  const [first, second] = [createAddress('a', 'one'), createAddress('b', 'one')];
  first.isReadOnly = true;
  const clickhouse = createFailover([first, second]);
  await assert.rejects(clickhouse.insert(INSERT), { code: 'CLICKHOUSE_UNWRITABLE' });
  await clickhouse.insert(INSERT);
  assert.deepEqual(second.asked, ['identity', 'insert']);
});

test('an address with another table is told and not used', async () => {
  const [first, other] = [createAddress('a', 'one'), createAddress('b', 'another')];
  const clickhouse = createFailover([first, other]);
  await clickhouse.query('SELECT 1');
  first.isAway = true;
  await assert.rejects(clickhouse.query('SELECT 1'), { code: 'CLICKHOUSE_UNREACHABLE' });
  await assert.rejects(clickhouse.query('SELECT 2'), { code: 'CLICKHOUSE_ANOTHER' });
  assert.deepEqual(other.asked, ['identity']);
});

test('when no address answers each is asked once, and the last one is named', async () => {
  const addresses = ['a', 'b', 'c'].map((url) => createAddress(url, 'one'));
  for (const address of addresses) address.isAway = true;
  await assert.rejects(createFailover(addresses).query('SELECT 1'), { message: 'c does not answer' });
  assert.deepEqual(
    addresses.map(({ asked }) => asked),
    [['identity'], ['identity'], ['identity']],
  );
});
