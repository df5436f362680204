import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kafkaKeys } from '@tcptrail/kafka/config.ts';
import { differencesFrom } from '@tcptrail/kafka/settings.ts';
import { planTopics, type TopicPlan } from '@tcptrail/kafka/topics.ts';
import { plain } from '../../src/terminal/style.ts';
import type { Described } from '../../src/topic/describe.ts';
import { topicLine, topicText } from '../../src/topic/described.ts';

const [plan] = planTopics(kafkaKeys.parse({ topic: { partitions: 2 } })) as readonly [TopicPlan];
const partition = (partitionId: number, isr: number[]) => ({
  partitionErrorCode: 0,
  partitionId,
  leader: 1,
  replicas: [2, 1],
  isr,
});
const settings = { ...plan.settings, 'retention.ms': '1000' };
const DESCRIBED: Described = {
  plan,
  partitions: [partition(0, [1, 2]), partition(1, [1])],
  outOfSync: [1],
  offsets: [
    { partition: 0, low: 10, high: 1210 },
    { partition: 1, low: 0, high: 0 },
  ],
  settings,
  differences: differencesFrom(plan, { partitions: 2, settings }),
  group: {
    name: 'g',
    state: 'Stable',
    members: ['tcptrail/10.0.0.1'],
    lags: [
      { partition: 0, low: 10, high: 1210, committed: 1200, lag: 10 },
      { partition: 1, low: 0, high: 0, committed: undefined, lag: 0 },
    ],
  },
};

test('a topic is a line, its settings, what differs with its remedy, its group and its partitions', () => {
  assert.equal(
    topicText(DESCRIBED, { brokers: ['b:9092'], style: plain }),
    `topic tcptrail.events: 2 partitions, 2 replicas, 1 partition out of sync (1), 1,200 messages
setting                 value          planned
──────────────────────  ─────────────  ─────────────
compression.type        producer       producer
max.message.bytes       4194304        4194304
message.timestamp.type  LogAppendTime  LogAppendTime
retention.ms            1000           604800000
! retention.ms is 1000, planned 604800000; kafka-configs --bootstrap-server b:9092 --alter --entity-type topics --entity-name tcptrail.events --add-config retention.ms=604800000

group g: Stable, 1 member, 10 messages behind
partition  leader  replicas  in sync  oldest  newest  messages  stored to  behind
─────────  ──────  ────────  ───────  ──────  ──────  ────────  ─────────  ──────
        0       1  1,2       1,2          10    1209      1200       1199      10
        1       1  1,2       1             -       -         0          -       0

`,
  );
});

test('what may not be read is left out of the text and null in JSON', () => {
  const { settings: _settings, group: _group, ...rest } = DESCRIBED;
  const hidden: Described = { ...rest, settings: undefined, group: undefined, differences: [] };
  const text = topicText(hidden, { brokers: [], style: plain });
  assert.doesNotMatch(text, /setting|group|behind/);
  const line = JSON.parse(topicLine(hidden)) as Record<string, unknown>;
  assert.equal(line['settings'], null);
  assert.equal(line['group'], null);
});

test('JSON has offsets as numbers, null where there is none', () => {
  const line = JSON.parse(topicLine(DESCRIBED)) as { partitions: unknown[]; in_sync: boolean };
  assert.equal(line.in_sync, false);
  assert.deepEqual(line.partitions, [
    {
      partition: 0,
      leader: 1,
      replicas: [2, 1],
      in_sync: [1, 2],
      oldest: 10,
      newest: 1209,
      messages: 1200,
      committed: 1200,
      lag: 10,
    },
    {
      partition: 1,
      leader: 1,
      replicas: [2, 1],
      in_sync: [1],
      oldest: null,
      newest: null,
      messages: 0,
      committed: null,
      lag: 0,
    },
  ]);
});
