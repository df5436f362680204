import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { migrate } from '../../src/migrate/migrate.ts';
import { createOneProcessCluster } from './one-process-cluster.ts';

const here = createOneProcessCluster();
after(() => here.close());

const COLD = { policy: 'tiered', volume: 'cold', days: 30 };
const day = (ago: number): string => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);

for (const cluster of ['', 'one']) {
  const database = `cold_${cluster || 'node'}`;
  test(`events of more than a week lie on the cold volume and are read from there: ${cluster ? 'cluster' : 'one node'}`, async () => {
    const client = here.client(database, cluster);
    await migrate(client);
    const names = (await migrate(client, { cold: COLD, plan: true })).applied.map(({ name }) => name);
    assert.deepEqual(names, [
      'cold volume of tcp_events',
      'cold volume of tcp_batches',
      'retention of forgotten_rows',
    ]);
    await migrate(client, { cold: COLD });
    assert.deepEqual((await migrate(client, { cold: COLD })).applied, [], 'nothing is left to do');

    const local = `tcp_events${cluster ? '_local' : ''}`;
    for (const ago of [1, 10, 29])
      here.run(
        `INSERT INTO ${database}.${local} (day, ts, host_id, kind, connections) VALUES ('${day(ago)}', '${day(ago)} 10:00:00', 'h', 'close', 1)`,
      );
    const parts = here.rows(
      `SELECT partition, disk_name FROM system.parts WHERE active AND database = '${database}' AND table = '${local}' ORDER BY partition`,
    );
    assert.deepEqual(parts, [
      { partition: day(29), disk_name: 'cold' },
      { partition: day(10), disk_name: 'cold' },
      { partition: day(1), disk_name: 'default' },
    ]);
    const [sum] = await client.query<{ n: number }>(
      `SELECT sum(connections) AS n FROM ${database}.connections_1h WHERE host_id = 'h'`,
    );
    assert.equal(Number(sum?.n), 3);
    const longer = { ...COLD, days: 60 };
    const more = await migrate(client, { cold: longer });
    assert.equal(more.applied.length, 3, 'another age is another TTL');

    here.run(`ALTER TABLE ${database}.${local} REMOVE TTL`);
    const untouched = { applied: [], withoutRetention: ['tcp_events'] };
    assert.deepEqual(await migrate(client, { cold: longer }), untouched, 'what a person took off stays off');
    const [back] = (await migrate(client, { cold: longer, retention: true })).applied;
    assert.equal(back?.name, 'retention of tcp_events, day + INTERVAL 60 DAY (older rows, which go: 0)');
    const [engine] = here.rows(
      `SELECT engine_full FROM system.tables WHERE database = '${database}' AND name = '${local}'`,
    );
    assert.match(
      JSON.stringify(engine),
      /TTL day \+ toIntervalDay\(7\) TO VOLUME 'cold', day \+ toIntervalDay\(60\)/,
    );
  });
}

test('a policy or a volume that ClickHouse does not have is refused by name', async () => {
  const client = here.client('cold_refused', '');
  for (const wrong of [{ policy: 'teired' }, { volume: 'colder' }])
    await assert.rejects(migrate(client, { cold: { ...COLD, ...wrong } }), {
      code: 'CLICKHOUSE_NO_VOLUME',
      message:
        /no storage policy "\w+" with a volume "\w+"; configure it there, or mend clickhouse.coldVolume/,
    });
});
