import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startKafka, type TestKafka } from '../../test/harness/kafka.ts';
import { until } from '../../test/harness/until.ts';
import { withAdmin } from '../src/admin.ts';
import { topicOffsets } from '../src/topic-state.ts';
import { createTopics, planTopics } from '../src/topics.ts';
import { assertMayWrite } from '../src/write-right.ts';
import { grant, sectionOf } from './grants.ts';

const TOPIC = 'tcptrail.events';
let kafka: TestKafka;
before(async () => {
  kafka = await startKafka({ sasl: true });
  const admin = sectionOf(kafka, 'admin');
  await withAdmin(admin, (connected) => createTopics(connected, admin, planTopics(admin)));
});
after(() => kafka?.stop());

const refused = async (): Promise<string> =>
  await assertMayWrite(sectionOf(kafka, 'tcptrail'), TOPIC).then(
    () => '',
    (error: Error) => error.message,
  );

test('a user that may only describe may not write, and one that may is told so', async () => {
  await grant(kafka, { resource: 'TOPIC', name: TOPIC, operation: 'DESCRIBE' });
  await until('the broker to hear of it', async () => /no right to write/.test(await refused()));
  assert.match(
    await refused(),
    /Kafka user "tcptrail" has no right to write topic tcptrail\.events; grant it: kafka-acls .* --topic tcptrail\.events --operation Write$/,
  );
  await grant(kafka, { resource: 'TOPIC', name: TOPIC, operation: 'WRITE' });
  await until('the broker to hear of it', async () => (await refused()) === '');
});

test('asking appends nothing', async () => {
  const admin = sectionOf(kafka, 'admin');
  await assertMayWrite(admin, TOPIC);
  const offsets = await withAdmin(admin, (connected) => topicOffsets(connected, admin, TOPIC));
  assert.deepEqual(
    offsets.filter(({ high }) => high > 0),
    [],
  );
});
