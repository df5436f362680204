import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fillTemplate, localTable, shardedTables } from '../src/form.ts';
import type { ClickHouse } from '../src/store/clickhouse.ts';
import { insertBlock } from '../src/store/insert.ts';
import { createLedger } from '../src/store/ledger.ts';
import { withdraw } from '../src/store/withdraw.ts';

const TEMPLATE =
  'CREATE TABLE {database}.t{local} {on_cluster} (a UInt8) ENGINE = {replicated}MergeTree SETTINGS {deduplication_window}';

test('the same template is a table of one node, or a replicated one on the hosts of a cluster', () => {
  assert.equal(
    fillTemplate(TEMPLATE, { database: 'db' }),
    'CREATE TABLE db.t  (a UInt8) ENGINE = MergeTree SETTINGS non_replicated_deduplication_window = 10000',
  );
  assert.equal(
    fillTemplate(TEMPLATE, { database: 'db', cluster: 'many' }),
    "CREATE TABLE db.t_local ON CLUSTER 'many' (a UInt8) ENGINE = ReplicatedMergeTree SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800",
  );
});

test('what is in braces and no place stays as it is', () => {
  assert.equal(fillTemplate("'{uuid}' {1,3}", { database: 'db' }), "'{uuid}' {1,3}");
});

test('each local table has one over all shards', () => {
  const text = shardedTables(
    [
      'CREATE TABLE IF NOT EXISTS {database}.t{local} (…);\n',
      'ALTER TABLE {database}.t{local} …;\nCREATE TABLE IF NOT EXISTS {database}.u{local} (…);\n',
    ],
    { database: 'db', cluster: 'many' },
  );
  assert.deepEqual(text.match(/CREATE OR REPLACE TABLE \{database\}\.\w+/g), [
    'CREATE OR REPLACE TABLE {database}.t',
    'CREATE OR REPLACE TABLE {database}.u',
  ]);
});

test('the store inserts into local tables, asks the ledger there, and takes rows back there', async () => {
  const asked: string[] = [];
  const note = (sql: string): void => void asked.push(sql);
  const clickhouse: ClickHouse = {
    url: 'none',
    database: 'db',
    cluster: 'many',
    async query<T>(sql: string) {
      note(sql);
      return [{ n: 1, days: ['2026-11-28'] }] as T[];
    },
    statement: async (sql) => note(sql),
    insert: async ({ query }) => {
      note(query);
      return undefined;
    },
    close: async () => undefined,
  };
  const span = { origin: 'o', originPartition: 0, first: 1, last: 2 };
  await insertBlock(clickhouse, {
    table: 'tcp_parked',
    format: 'Native',
    body: new Uint8Array(),
    logComment: '',
  });
  const ledger = createLedger(clickhouse);
  await ledger.messages(span);
  await ledger.maximum(span, 0);
  await ledger.totals(span, []);
  await withdraw(clickhouse, span, [1]);
  const tables = new Set(asked.flatMap((sql) => sql.match(/\bdb\.\w+/g) ?? []));
  assert.deepEqual([...tables].toSorted(), [
    'db.forgotten_rows_local',
    'db.tcp_batches_local',
    'db.tcp_events_local',
    'db.tcp_parked_local',
    'db.tier_days_local',
  ]);
  assert.equal(localTable({ database: 'db' }, 'tcp_events'), 'db.tcp_events');
});
