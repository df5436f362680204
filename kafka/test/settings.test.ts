import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kafkaKeys } from '../src/config.ts';
import { differencesFrom, remedyOf, sentenceOf } from '../src/settings.ts';
import { planTopics, type TopicPlan } from '../src/topics.ts';

const [plan] = planTopics(kafkaKeys.parse({})) as readonly [TopicPlan];
const AT = { topic: plan.name, brokers: ['a:9092', 'b:9092'] };

test('a topic as it is planned has no difference, and other settings do not matter', () => {
  const settings = { ...plan.settings, 'segment.ms': '1' };
  const differences = differencesFrom(plan, { partitions: plan.partitions, settings });
  assert.deepEqual(differences, []);
  assert.equal(remedyOf(differences, AT), '');
});

test('each setting that matters and differs is named with both values, and one command sets them all', () => {
  const settings = { ...plan.settings, 'retention.ms': '1000', 'compression.type': 'gzip' };
  const differences = differencesFrom(plan, { partitions: plan.partitions, settings });
  assert.equal(
    sentenceOf(differences),
    'compression.type is gzip, planned producer; retention.ms is 1000, planned 604800000',
  );
  assert.equal(
    remedyOf(differences, AT),
    'kafka-configs --bootstrap-server a:9092,b:9092 --alter --entity-type topics --entity-name tcptrail.events --add-config compression.type=producer,retention.ms=604800000',
  );
});

test('a setting that the brokers do not tell is a difference', () => {
  const { 'retention.ms': _untold, ...settings } = plan.settings;
  const differences = differencesFrom(plan, { partitions: plan.partitions, settings });
  assert.equal(sentenceOf(differences), 'retention.ms is not told, planned 604800000');
});

test('partitions that are too few are added, and those too many are planned', () => {
  const few = differencesFrom(plan, { partitions: 1, settings: plan.settings });
  assert.match(remedyOf(few, AT), /^kafka-topics .* --alter --topic tcptrail\.events --partitions 12$/);
  const many = differencesFrom(plan, { partitions: 24, settings: plan.settings });
  assert.equal(remedyOf(many, AT), 'set kafka.topic.partitions: 24');
});
