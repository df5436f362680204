import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { COMMON_PARAMETERS, type Parameter } from '@tcptrail/schemas/question.ts';
import { readQuestions } from '@tcptrail/schemas/questions.ts';
import { startServer } from '../../../test/harness/server.ts';
import { temporaryFolder } from '../../../test/spool-writer.ts';
import { type MigrationClient, migrate } from '../../src/migrate/migrate.ts';
import { closeDays } from '../../src/tiers/close-days.ts';
import { putEveryKind } from '../views/every-kind.ts';
import { makeOn, numbered } from '../views/made-completeness.ts';
import { createOneProcessCluster } from './one-process-cluster.ts';

const here = createOneProcessCluster();
after(() => here.close());

/** Everything that the runner sends to an empty cluster. */
async function sent(): Promise<readonly string[]> {
  const statements: string[] = [];
  const client: MigrationClient = {
    database: 'trail',
    cluster: 'many',
    async query<T>(sql: string) {
      const isAsked = (table: string): boolean => sql.includes(table);
      return (isAsked('system.clusters') ? [{ cluster: 'many' }] : []) as T[];
    },
    async statement(sql) {
      statements.push(sql.replaceAll(/--[^\n]*/g, ''));
    },
  };
  await migrate(client);
  return statements;
}

const namesIn = (statements: readonly string[], pattern: RegExp): string[] =>
  statements.flatMap((sql) => pattern.exec(sql)?.[1] ?? []);

test('every statement of the cluster form is one that ClickHouse can read', async () => {
  const statements = await sent();
  assert.ok(statements.length > 20);
  for (const sql of statements) {
    const quoted = sql.replaceAll(/[\\']/g, '\\$&');
    const [row] = here.rows<{ read: string | null }>(`SELECT formatQueryOrNull('${quoted}') AS read`);
    assert.ok(row?.read, sql.slice(0, 200));
  }
});

test('every statement names the cluster, every engine is replicated, and no place is left unfilled', async () => {
  for (const sql of await sent()) {
    const head = sql.slice(0, 200);
    if (!sql.startsWith('INSERT INTO trail.migrations ')) assert.match(sql, / ON CLUSTER 'many'/, head);
    // What is filled in by ClickHouse itself is the path of the one table that all hosts share.
    assert.doesNotMatch(sql, /\{(?!uuid\}|shard\}|replica\})\w+\}/, head);
    for (const [, engine = ''] of sql.matchAll(/ENGINE\s*=\s*(\w+)/g))
      assert.match(engine, /^(Replicated\w*MergeTree|Distributed|Memory)$/, head);
    assert.doesNotMatch(sql, /non_replicated/, head);
  }
});

test('tables over all shards are of local ones, and views read only those and one another', async () => {
  const statements = await sent();
  const local = namesIn(statements, /^\s*CREATE TABLE IF NOT EXISTS trail\.(\w+_local) /);
  assert.ok(local.includes('tcp_events_local') && local.includes('tcp_parked_outcomes_local'));
  const sharded = namesIn(statements, /^CREATE OR REPLACE TABLE trail\.(\w+) /);
  const targets = namesIn(statements, /Distributed\('many', 'trail', '(\w+)'\)/);
  assert.deepEqual(targets, local);
  assert.deepEqual(
    sharded.map((name) => `${name}_local`),
    local,
  );
  const isView = /^\s*CREATE OR REPLACE VIEW trail\.(\w+)/;
  const views = namesIn(statements, isView);
  assert.ok(views.includes('connections'));
  for (const view of statements.filter((sql) => isView.test(sql))) {
    for (const [, name = ''] of view.matchAll(/\btrail\.(\w+)/g))
      assert.ok(sharded.includes(name) || views.includes(name), `${isView.exec(view)?.[1]} reads ${name}`);
  }
});

test('what is altered or filled after it was made is a local table', async () => {
  for (const sql of await sent()) {
    const [, name] = /^\s*(?:ALTER TABLE|INSERT INTO|OPTIMIZE TABLE) trail\.(\w+)/.exec(sql) ?? [];
    if (name) assert.match(name, /_local$|^migrations$|^migration_lock$/);
  }
});

const TABLES = ['tcp_events', 'tcp_batches', 'tcp_parked', 'tcp_parked_outcomes'];

/** Rows of every table, in each of three databases: of one node, of one shard, of two shards that hold the same. */
before(async () => {
  await migrate(here.client('alone', ''));
  await migrate(here.client('one', 'one'));
  await migrate(here.client('two', 'two'));
  const server = await startServer();
  try {
    const made = await makeOn(server.url);
    await putEveryKind(made.database);
    await made.batch(11, numbered(11, 14), { seq_last: 14, rows: 14 });
    await made.park(12);
    await made.batch(13, numbered(18, 19), { seq_last: 19, rows: 19 });
    const { clickhouse } = made.database;
    await clickhouse.statement(
      `INSERT INTO ${clickhouse.database}.tcp_parked_outcomes (origin, origin_partition, origin_offset, outcome) VALUES ('spool:made', 0, 12, 'discarded')`,
    );
    for (const table of TABLES) {
      const query = `SELECT * FROM ${clickhouse.database}.${table} FORMAT Native`;
      const answer = await fetch(server.url, { method: 'POST', body: query });
      const file = join(temporaryFolder(), table);
      writeFileSync(file, new Uint8Array(await answer.arrayBuffer()));
      for (const target of [`alone.${table}`, `one.${table}_local`, `two.${table}_local`])
        here.run(`INSERT INTO ${target} SELECT * FROM file('${file}', 'Native')`);
    }
    await closeToday();
  } finally {
    await server.stop();
  }
});

const DAY_MS = 86_400_000;

/** As a consumer does tomorrow. Two shards that hold the same tell twice what was summed, so that no day of them counts. */
async function closeToday(): Promise<void> {
  const lease = { signal: new AbortController().signal, assertHeld() {} };
  for (const [database, cluster] of [
    ['alone', ''],
    ['one', 'one'],
    ['two', 'two'],
  ] as const) {
    const written = await closeDays(here.client(database, cluster), {
      nowMs: Date.now() + 1.5 * DAY_MS,
      lease,
    });
    assert.deepEqual(
      written.map(({ tier }) => tier),
      ['5m', '1h', 'edges'],
    );
  }
}

const VIEWS = () =>
  here
    .rows<{ name: string }>("SELECT name FROM system.tables WHERE database = 'alone' AND engine = 'View'")
    .map(({ name }) => name);

/** What the clock says differs from one question, or writing, to the next. */
const OF_NOW: Readonly<Record<string, string>> = {
  hosts: 'silent_seconds, clock_ahead_seconds',
  closed_days: 'version',
};

function contentOf(database: string, view: string): string[] {
  const columns = OF_NOW[view] ? `* EXCEPT (${OF_NOW[view]})` : '*';
  const rows = here.rows<object>(`SELECT ${columns} FROM ${database}.${view}`);
  return rows.map((row) => JSON.stringify(row)).toSorted();
}

test('every view says over one shard what it says on one node', () => {
  const views = VIEWS();
  assert.ok(views.includes('completeness'));
  for (const view of views) assert.deepEqual(contentOf('one', view), contentOf('alone', view), view);
  for (const view of ['connections', 'failures', 'completeness', 'hosts', 'closed_days', 'edges'])
    assert.notDeepEqual(contentOf('alone', view), [], view);
});

/** Of these a row is a row of a table, or several that are equal; of the others it counts them. */
const ROWWISE = ['connections', 'failures', 'resets', 'retransmits', 'ocsf_network_activity', 'ecs_network'];

test('over two shards no view asks each shard for the rows of all', () => {
  for (const view of VIEWS()) {
    const seen = new Set(contentOf('two', view));
    if (ROWWISE.includes(view)) assert.deepEqual([...seen], contentOf('alone', view), view);
  }
});

/** A value of the type, as text in a `SET`. */
function textOf({ name, type, defaultText }: Parameter): string {
  if (name === 'limit') return '10';
  if (name === 'network') return '10.0.0.0/8';
  if (type.startsWith('Array(String'))
    return `[${(defaultText ?? '').split(',').map((text) => `'${text}'`)}]`;
  if (type.startsWith('Array(')) return `[${defaultText ?? ''}]`;
  if (defaultText !== undefined) return defaultText;
  if (type.startsWith('DateTime64')) return '2026-01-01 00:00:00';
  return { IPv6: '::1', Bool: '1', String: 'x' }[type] ?? '1';
}

test('over two shards no question asks each shard for the rows of all', () => {
  here.run('USE two');
  const questions = readQuestions();
  assert.ok(questions.length >= 40);
  for (const { name, parameters, sql } of questions) {
    const all = [...COMMON_PARAMETERS, ...parameters];
    const params = Object.fromEntries(all.map((parameter) => [parameter.name, textOf(parameter)]));
    assert.doesNotThrow(() => here.rows(sql, params), name);
  }
});

test('a database keeps its form', async () => {
  await assert.rejects(migrate(here.client('alone', 'one')), {
    code: 'MIGRATION_FORM',
    message: /alone was made for one node; leave clickhouse.cluster empty/,
  });
  await assert.rejects(migrate(here.client('one', '')), {
    code: 'MIGRATION_FORM',
    message: /one was made for a cluster; set clickhouse.cluster to its name/,
  });
});

test('a cluster that the server does not know is refused with those it knows', async () => {
  await assert.rejects(migrate(here.client('none', 'three')), {
    code: 'CLICKHOUSE_NO_CLUSTER',
    exitCode: 2,
    message: /no cluster three, only: one, two;/,
  });
});
