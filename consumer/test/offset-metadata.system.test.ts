import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frame } from '@tcptrail/schemas/single-object.ts';
import { useKafkaAndStore } from '../../test/harness/kafka-consumer.ts';
import { batch } from '../../test/harness/numbered-batch.ts';
import { datumOf, NOW_US } from '../../test/spool-writer.ts';

/** Room for a note of one day's rows beside a few parked messages; not beside many, nor for two days. */
const BYTES_MAX = 152;

const kafka = useKafkaAndStore({ set: { 'offset.metadata.max.bytes': String(BYTES_MAX) } });

test('brokers that keep little beside an offset get shorter ranges; where not one message can be noted, it is said what to set', async () => {
  const setup = await kafka.setUp();
  const strange = Array.from({ length: 8 }, (_, index) => Buffer.from(`strange ${index}`));
  await setup.send(frame(batch(1)), ...strange, frame(batch(2)));
  await setup.once();
  assert.deepEqual(await setup.counts(), { n: 20, u: 20, b: 2 });
  assert.equal((await setup.letters()).length, strange.length);

  const ofTwoDays = [{ seq: 21 }, { seq: 22, tsUs: NOW_US - 86_400e6 }];
  await setup.send(frame(datumOf({ agent_epoch: NOW_US, batch_seq: 3 }, ofTwoDays)));
  const consumer = setup.start(['--once']);
  assert.equal(await consumer.exited, 1, consumer.output());
  assert.match(
    consumer.output(),
    /^tcptrail consumer: the brokers do not keep the \d+ bytes .*set offset\.metadata\.max\.bytes=4096 on them/m,
  );
  assert.equal(await setup.isDrained(), false);
});
