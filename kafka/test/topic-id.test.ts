import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metadataRequest, topicIdIn } from '../src/topic-id.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
/** As Kafka 4.1 answered, less the partitions. */
const answer = (topics: string): Buffer =>
  hex(`00 00000000 02 00000001 0a 3132372e302e302e31 00007dec 00 00
       17 615272754e536b644b7674745535345f776658655741 00000001 ${topics}`);
const TOPIC = '02 0000 02 74 198bf848f3354aad80a159fd29764739 00';

test('a request names the topic and asks for nothing to be made', () => {
  assert.equal(
    metadataRequest('ab').toString('hex'),
    `0002${'00'.repeat(16)}03${Buffer.from('ab').toString('hex')}0000000000`,
  );
});

test('the id is read as the tools of Kafka print it', () => {
  assert.equal(topicIdIn(answer(TOPIC), 't'), 'GYv4SPM1Sq2AoVn9KXZHOQ');
});

test('a topic that has no leader yet has its id', () => {
  assert.equal(topicIdIn(answer(TOPIC.replace('0000', '0005')), 't'), 'GYv4SPM1Sq2AoVn9KXZHOQ');
});

test('brokers that give no ids are told from a topic that is not there, and from one that is not told of', () => {
  const none = TOPIC.replace('198bf848f3354aad80a159fd29764739', '00'.repeat(16));
  assert.equal(topicIdIn(answer(none), 't'), undefined);
  assert.throws(() => topicIdIn(answer(none.replace('0000', '0003')), 't'), { code: 'KAFKA_TOPIC_MISSING' });
  assert.throws(() => topicIdIn(answer(none.replace('0000', '001d')), 't'), { code: 'KAFKA_BUSY' });
});
