import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startKafka, type TestKafka } from '../harness/kafka.ts';
import { runMatrix } from './exact/matrix.ts';
import { type StoreServer, startStoreServer } from './exact/store-server.ts';

const KILLS = process.env['TCPTRAIL_TEST_LONG'] ? 200 : 20;
const SEED = 7;

let kafka: TestKafka;
let server: StoreServer;
before(async () => {
  kafka = await startKafka();
  server = await startStoreServer();
});
after(async () => {
  await server?.stop();
  await kafka?.stop();
});

test(`${KILLS} kills of consumers at each step, of ClickHouse at each rename, of Kafka, and at any moment lose nothing and double nothing`, async () => {
  const { kills, lost, doubled, invented } = await runMatrix({ kafka, server }, { kills: KILLS, seed: SEED });
  assert.deepEqual({ kills, lost, doubled, invented }, { kills: KILLS, lost: 0, doubled: 0, invented: 0 });
});
