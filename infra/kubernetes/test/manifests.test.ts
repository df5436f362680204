import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { keysOf } from '@tcptrail/config/keys.ts';
import { CONSUMER_CONFIG } from '@tcptrail/consumer/config.ts';
import { parse } from 'yaml';

const FOLDER = join(import.meta.dirname, '..');
const manifest = (name: string) => parse(readFileSync(join(FOLDER, name), 'utf8'));
const DEFAULTS = CONSUMER_CONFIG.parse({ transport: 'kafka' });

/**
 * Keys of `spec` and of the trigger's metadata with the values that KEDA takes, out of its documentation:
 * keda.sh/docs/2.22/reference/scaledobject-spec and keda.sh/docs/2.22/scalers/apache-kafka.
 */
const SPEC_KEYS = [
  'scaleTargetRef',
  'pollingInterval',
  'cooldownPeriod',
  'initialCooldownPeriod',
  'idleReplicaCount',
  'minReplicaCount',
  'maxReplicaCount',
  'fallback',
  'advanced',
  'triggers',
];
const flag = /^(true|false)$/;
const METADATA: Readonly<Record<string, RegExp>> = {
  bootstrapServers: /^[^\s,]+:\d+(,[^\s,]+:\d+)*$/,
  consumerGroup: /./,
  topic: /./,
  lagThreshold: /^[1-9]\d*$/,
  activationLagThreshold: /^\d+$/,
  offsetResetPolicy: /^(latest|earliest)$/,
  allowIdleConsumers: flag,
  scaleToZeroOnInvalidOffset: flag,
  excludePersistentLag: flag,
  limitToPartitionsWithLag: flag,
  ensureEvenDistributionOfPartitions: flag,
  version: /^\d+\.\d+\.\d+$/,
  partitionLimitation: /^\d+(-\d+)?(,\d+(-\d+)?)*$/,
  sasl: /^(none|plaintext|scram_sha256|scram_sha512|oauthbearer|gssapi)$/,
  tls: /^(enable|disable)$/,
  unsafeSsl: flag,
  saslTokenProvider: /^(bearer|aws_msk_iam)$/,
  awsRegion: /./,
};

test("the ScaledObject has KEDA's keys and no others, and scales the deployment from zero", () => {
  const { apiVersion, kind, spec } = manifest('keda.yaml');
  assert.deepEqual([apiVersion, kind], ['keda.sh/v1alpha1', 'ScaledObject']);
  for (const key of Object.keys(spec)) assert.ok(SPEC_KEYS.includes(key), `spec.${key}`);
  assert.equal(spec.minReplicaCount, 0);
  assert.ok(spec.maxReplicaCount <= DEFAULTS.kafka.topic.partitions, 'one consumer a partition at most');
  assert.equal(spec.scaleTargetRef.name, manifest('consumer.yaml').metadata.name);
  assert.equal(manifest('consumer.yaml').spec.replicas, undefined);
});

test("its trigger is KEDA's kafka, with values of text that KEDA takes, on our topic and group", () => {
  const { triggers } = manifest('keda.yaml').spec;
  assert.equal(triggers.length, 1);
  const [{ type, metadata }] = triggers;
  assert.equal(type, 'kafka');
  for (const [key, value] of Object.entries(metadata)) {
    assert.equal(typeof value, 'string', `${key}: KEDA reads text alone`);
    assert.match(value as string, METADATA[key] ?? /^unknown key$/, key);
  }
  assert.equal(metadata.topic, DEFAULTS.kafka.topic.events);
  assert.equal(metadata.consumerGroup, DEFAULTS.kafka.group);
  // As the consumer, which begins at the oldest message.
  assert.equal(metadata.offsetResetPolicy, 'earliest');
  const [container] = manifest('consumer.yaml').spec.template.spec.containers;
  const brokers = container.env.find(({ name }: { name: string }) => name === 'TCPTRAIL_KAFKA_BROKERS');
  assert.equal(metadata.bootstrapServers, brokers.value);
});

test("the deployment's variables name keys of the consumer, its probes the paths and port that it serves", () => {
  const pod = manifest('consumer.yaml').spec.template.spec;
  const [container] = pod.containers;
  const variables = keysOf(CONSUMER_CONFIG).map(({ variable }) => variable);
  for (const { name } of container.env) assert.ok(variables.includes(name), name);
  assert.equal(container.ports[0].containerPort, DEFAULTS.metrics.port);
  assert.equal(container.livenessProbe.httpGet.path, '/healthz');
  assert.equal(container.readinessProbe.httpGet.path, '/readyz');
  assert.ok(pod.terminationGracePeriodSeconds * 1000 > DEFAULTS.stopWaitMsMax);
});
