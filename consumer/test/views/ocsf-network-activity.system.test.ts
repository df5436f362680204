import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { pythonEnvironment } from '../../../test/harness/python.ts';
import { startServer, type TestServer } from '../../../test/harness/server.ts';
import { createDatabase, type TestDatabase } from '../database.ts';
import { putEveryKind } from './every-kind.ts';

const VALIDATORS = join(import.meta.dirname, '../../../test/validators');

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

/** Events as the documentation says to write them: dots become objects, what is NULL is left out. */
async function events(): Promise<string> {
  const result = await server.client.exec({
    query: `SELECT formatRow('JSONEachRow', *)::JSON AS event FROM ${database.clickhouse.database}.ocsf_network_activity FORMAT TSVRaw`,
  });
  return await text(result.stream);
}

async function problems(lines: string): Promise<string> {
  const bin = await pythonEnvironment('validators', join(VALIDATORS, 'requirements.txt'));
  const args = [join(VALIDATORS, 'ocsf_events.py'), '1.8.0', 'host', 'container'];
  const child = execFile(join(bin, 'python'), args);
  child.stdin?.end(lines);
  const [out, err] = await Promise.all([
    text(child.stdout as Readable),
    text(child.stderr as Readable),
    once(child, 'close'),
  ]);
  return `${out}${err}`;
}

test("every row is an event as OCSF's own schema of class 4001 has it", async () => {
  const lines = await events();
  assert.equal(await problems(lines), '');
  // The judge can refuse.
  assert.match(
    await problems(lines.replace('"activity_id":2', '"activity_id":42')),
    /activity_id: 42 is not/,
  );
});

test('activity, status and ends say what became of the connection', async () => {
  const rows = await database.rows(
    `SELECT activity_name, type_uid, status_id, status_detail, \`src_endpoint.ip\` AS src, \`dst_endpoint.port\` AS port, \`connection_info.direction\` AS direction, observation_point_id AS point
     FROM {db}.ocsf_network_activity ORDER BY \`connection_info.uid\``,
  );
  const of = (activity_name: string, type_uid: number, status_id: number, status_detail: string) => ({
    activity_name,
    type_uid,
    status_id,
    status_detail,
  });
  const out = { src: '10.0.0.1', port: 443, direction: 'Outbound', point: 1 };
  assert.deepEqual(rows, [
    { ...of('Close', 400102, 1, 'closed_local'), ...out },
    {
      ...of('Reset', 400103, 1, 'reset_received'),
      ...out,
      src: '203.0.113.7',
      port: 80,
      direction: 'Inbound',
      point: 2,
    },
    { ...of('Refuse', 400105, 2, 'refused'), ...out, direction: 'Lateral' },
    { ...of('Fail', 400104, 2, 'timed_out'), ...out, src: '2001:db8::1' },
    { ...of('Open', 400101, 1, 'unknown'), src: '10.0.0.1', port: 443, direction: 'Unknown', point: 0 },
    {
      ...of('Close', 400102, 1, 'closed_peer'),
      ...out,
      port: 80,
      src: '203.0.113.7',
      direction: 'Inbound',
      point: 2,
    },
  ]);
});
