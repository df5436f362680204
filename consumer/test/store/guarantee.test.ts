import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guaranteeOf, type ServerFacts } from '../../src/store/guarantee.ts';

const tables = (
  engine: string,
  engineFull = `${engine} SETTINGS non_replicated_deduplication_window = 10000`,
) => ['tcp_events', 'tcp_batches'].map((name) => ({ name, engine, engine_full: engineFull }));

const of = (change: Partial<ServerFacts> = {}) =>
  guaranteeOf(
    { database: 'db', cluster: change.shards ? 'many' : '' },
    {
      version: '26.7.2.1',
      tables: tables('MergeTree'),
      settings: { deduplicate_insert: 'enable' },
      shards: 0,
      fsyncAfterInsert: false,
      ...change,
    },
  );

test('tables that remember tokens give exactly once, and power loss is named for what it is', () => {
  assert.deepEqual(of(), {
    isExactlyOnce: true,
    text: 'ClickHouse 26.7.2.1: rows are stored exactly once, also after kill -9 of any part; on power loss as durable as fsync_after_insert = 0',
  });
  assert.match(of({ fsyncAfterInsert: true }).text, /and on power loss$/);
});

test('a server that does not know the newer setting is no worse for it', () => {
  assert.equal(of({ version: '24.8.1.1', settings: {} }).isExactlyOnce, true);
});

test('what weakens it is said with the remedy', () => {
  const cases: [Partial<ServerFacts>, RegExp][] = [
    [{ tables: tables('MergeTree', 'MergeTree') }, /remembers 0 inserts.*MODIFY SETTING/],
    [
      { tables: tables('MergeTree', 'MergeTree SETTINGS non_replicated_deduplication_window = 9999') },
      /remembers 9999 inserts.*window = 10000/,
    ],
    [{ settings: { deduplicate_insert: 'disable' } }, /set it to 'enable'/],
    [
      { tables: tables('ReplicatedMergeTree') },
      /is replicated.*remembers 0 inserts.* SETTING replicated_deduplication_window = 10000/,
    ],
    [
      {
        shards: 2,
        tables: tables(
          'ReplicatedMergeTree',
          'ReplicatedMergeTree SETTINGS replicated_deduplication_window = 10000',
        ).map((table) => ({ ...table, name: `${table.name}_local` })),
      },
      /^(?!.*remembers).*has 2 shards/,
    ],
  ];
  for (const [change, says] of cases) {
    const { isExactlyOnce, text } = of(change);
    assert.equal(isExactlyOnce, false, text);
    assert.match(text, says);
  }
});

test('a server or a table that cannot keep rows as inserted is refused', () => {
  const cases: [Partial<ServerFacts>, RegExp][] = [
    [{ version: '23.8.1.1' }, /older than 24/],
    [{ tables: [] }, /tcp_events is missing/],
    [{ tables: tables('ReplacingMergeTree') }, /does not keep rows as inserted/],
  ];
  for (const [change, message] of cases)
    assert.throws(() => of(change), { code: 'CLICKHOUSE_NO_GUARANTEE', message });
});
