import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kafkaKeys } from '../src/config.ts';
import { planTopics } from '../src/topics.ts';

const planned = (topic: object) => planTopics(kafkaKeys.parse({ topic }));

test('the events topic is made as configured, stamped by the brokers and kept as it was compressed', () => {
  const [events] = planned({ partitions: 7, retentionMs: 7_200_000, messageBytesMax: 100_000 });
  assert.deepEqual(events, {
    name: 'tcptrail.events',
    partitions: 7,
    replicationFactor: -1,
    settings: {
      'cleanup.policy': 'delete',
      'compression.type': 'producer',
      'message.timestamp.type': 'LogAppendTime',
      'retention.ms': '7200000',
      'max.message.bytes': '100000',
    },
  });
});

test('with three copies a batch is acknowledged by two, so that the loss of a broker loses nothing', () => {
  for (const plan of planned({ replicationFactor: 3 }))
    assert.equal(plan.settings['min.insync.replicas'], '2');
  for (const plan of planned({ replicationFactor: 2 }))
    assert.equal(plan.settings['min.insync.replicas'], undefined);
});

test('the dead-letter topic takes whatever the events topic took, and its headers, and keeps it longer', () => {
  const [events, dead] = planned({ messageBytesMax: 1_000_000, retentionMs: 3_600_000 });
  assert.ok(Number(dead?.settings['max.message.bytes']) > Number(events?.settings['max.message.bytes']));
  assert.equal(dead?.settings['retention.ms'], String(30 * 86_400_000));
});
