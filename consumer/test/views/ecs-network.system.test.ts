import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { startServer, type TestServer } from '../../../test/harness/server.ts';
import { createDatabase, type TestDatabase } from '../database.ts';
import { putEveryKind } from './every-kind.ts';

/** Fields, types and values as ECS has them; its own package wrote the file. */
interface Ecs {
  readonly version: string;
  readonly networkEventTypes: readonly string[];
  readonly fields: Readonly<
    Record<string, { readonly type: string; readonly array?: true; readonly values?: readonly string[] }>
  >;
}
const ECS = JSON.parse(
  readFileSync(new URL('../../../test/fixtures/ecs/9.4.0.json', import.meta.url), 'utf8'),
) as Ecs;

/** Beside ECS, as it asks for, under a name of our own. */
const OWN = /^tcptrail\./;
/** ClickHouse types, of which each ECS type may be. */
const TYPES: Readonly<Record<string, RegExp>> = {
  keyword: /^String$/,
  wildcard: /^String$/,
  ip: /^String$/,
  long: /^UInt(16|32|64)$/,
  date: /^DateTime64\(6, 'UTC'\)$/,
};

let server: TestServer;
let database: TestDatabase;
before(async () => {
  server = await startServer();
  database = await createDatabase(server.url);
  await putEveryKind(database);
});
after(async () => {
  await database?.clickhouse.close();
  await server?.stop();
});

test('every column is a field of ECS, of its type, and its comment says so', async () => {
  const columns = await database.rows<{ name: string; type: string; comment: string }>(
    "SELECT name, type, comment FROM system.columns WHERE database = '{db}' AND table = 'ecs_network'",
  );
  assert.ok(columns.length > 30);
  for (const { name, type, comment } of columns) {
    if (OWN.test(name)) continue;
    const field = ECS.fields[name];
    assert.ok(field, `ECS ${ECS.version} has no ${name}`);
    const inner = /^(?:Nullable|LowCardinality|Array)\((.*)\)$/.exec(type)?.[1] ?? type;
    assert.match(inner, TYPES[field.type] ?? /^$/, name);
    assert.equal(type.startsWith('Array('), field.array === true, name);
    assert.ok(comment.startsWith(`${field.type}: `), `${name}: ${comment}`);
  }
});

test('values of the closed vocabularies are those of ECS, and types those of category network', async () => {
  const rows = await database.rows<Record<string, string & readonly string[]>>(
    'SELECT `ecs.version`, `event.kind`, `event.category`, `event.type`, `event.outcome` FROM {db}.ecs_network',
  );
  assert.equal(rows.length, 6);
  for (const row of rows) {
    assert.equal(row['ecs.version'], ECS.version);
    for (const name of ['event.kind', 'event.category', 'event.type', 'event.outcome'])
      for (const value of [row[name] ?? ''].flat())
        assert.ok(ECS.fields[name]?.values?.includes(value), `${name} ${value}`);
    for (const type of row['event.type'] ?? []) assert.ok(ECS.networkEventTypes.includes(type), type);
  }
});

test('ends, direction, outcome and owner say what became of the connection', async () => {
  const rows = await database.rows(
    `SELECT \`event.action\` AS action, \`event.outcome\` AS outcome, \`source.ip\` AS source, \`destination.port\` AS port, \`network.direction\` AS direction, \`network.type\` AS type, \`process.pid\` AS pid, \`orchestrator.resource.type\` AS resource, \`tcptrail.connections\` AS n
     FROM {db}.ecs_network ORDER BY \`event.id\``,
  );
  const all = { type: 'ipv4', pid: 4242, resource: 'pod', n: 1 };
  const egress = { ...all, source: '10.0.0.1', port: 443, direction: 'egress' };
  const ingress = { ...all, source: '203.0.113.7', port: 80, direction: 'ingress' };
  assert.deepEqual(rows, [
    { action: 'closed', outcome: 'success', ...egress },
    { action: 'closed', outcome: 'success', ...ingress },
    { action: 'failed', outcome: 'failure', ...egress },
    { action: 'failed', outcome: 'failure', ...egress, source: '2001:db8::1', type: 'ipv6' },
    { action: 'live', outcome: 'unknown', ...egress, direction: null },
    { action: 'closed', outcome: 'success', ...ingress },
  ]);
});

test('the Community ID is the one of the connection, and absent where one row has no two ends', async () => {
  const [row] = await database.rows<{ same: number; absent: number }>(
    `SELECT countIf(e.\`network.community_id\` = c.community_id) AS same, countIf(e.\`network.community_id\` IS NULL) AS absent
     FROM {db}.ecs_network AS e
     JOIN {db}.connections AS c ON e.\`event.id\` = concat(c.host_id, '/', c.boot_id, '/', toString(c.socket_cookie), '/', toString(c.generation))`,
  );
  assert.deepEqual(row, { same: 5, absent: 1 });
});
