import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AGENT_CONFIG } from '@tcptrail/agent/config.ts';
import { loadConfig } from '@tcptrail/config/load.ts';
import { CONSUMER_CONFIG } from '@tcptrail/consumer/config.ts';
import { agentVariables, consumerVariables, type Route } from '../../src/supervise/route.ts';

/** A fleet's host, of which `up` is told otherwise. */
const FLEET = {
  TCPTRAIL_PUBLISH_ENABLED: 'true',
  TCPTRAIL_TRANSPORT: 'kafka',
  TCPTRAIL_KAFKA_BROKERS: 'fleet:9093',
  TCPTRAIL_KAFKA_TLS_ENABLED: 'true',
  TCPTRAIL_KAFKA_SASL_MECHANISM: 'plain',
  TCPTRAIL_KAFKA_TOPIC_CREATE: 'false',
};
const source = (part: string, env: Readonly<Record<string, string>>) => ({
  part,
  file: '/nowhere/tcptrail.yaml',
  required: false,
  env: { ...FLEET, ...env },
});
const agent = (route: Route) => loadConfig(AGENT_CONFIG, source('agent', agentVariables(route)));
const consumer = (route: Route) => loadConfig(CONSUMER_CONFIG, source('consumer', consumerVariables(route)));

test('without Kafka nothing is published and the spool is read', () => {
  assert.equal(agent({ kind: 'spool' }).publish.enabled, false);
  assert.equal(consumer({ kind: 'spool' }).transport, 'spool');
});

test('a local Kafka is one partition without TLS and user, whatever the fleet has', () => {
  const route: Route = { kind: 'kafka', brokers: ['127.0.0.1:9092'], isLocal: true };
  assert.equal(agent(route).publish.enabled, true);
  assert.equal(consumer(route).transport, 'kafka');
  for (const { kafka } of [agent(route), consumer(route)]) {
    assert.deepEqual(kafka.brokers, ['127.0.0.1:9092']);
    assert.equal(kafka.tls.enabled, false);
    assert.equal(kafka.sasl.mechanism, 'none');
    assert.equal(kafka.topic.partitions, 1);
    assert.equal(kafka.topic.create, true);
  }
});

test('brokers that run already keep what is configured for them', () => {
  const route: Route = { kind: 'kafka', brokers: ['a:9092', 'b:9092'], isLocal: false };
  const { kafka } = consumer(route);
  assert.deepEqual(kafka.brokers, ['a:9092', 'b:9092']);
  assert.equal(kafka.tls.enabled, true);
  assert.equal(kafka.sasl.mechanism, 'plain');
  assert.equal(kafka.topic.partitions, 12);
});
