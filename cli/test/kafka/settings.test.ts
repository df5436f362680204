import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { type KafkaSource, loadKafka } from '../../src/kafka/settings.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tcptrail-kafka-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}
const load = (source: Partial<KafkaSource> = {}) =>
  loadKafka({ file: undefined, brokers: undefined, env: {}, folder, ...source });

test('without a file the defaults hold', () => {
  const { kafka, group } = load();
  assert.deepEqual(kafka.brokers, ['127.0.0.1:9092']);
  assert.equal(group, 'tcptrail-consumer');
});

test('consumer.yaml comes before agent.yaml, and brings its group', () => {
  write('agent.yaml', 'kafka: { brokers: [agent:9092] }\n');
  assert.deepEqual(load().kafka.brokers, ['agent:9092']);
  assert.equal(load().group, 'tcptrail-consumer');
  write('consumer.yaml', 'kafka: { brokers: [consumer:9092], group: ours }\n');
  assert.deepEqual(load().kafka.brokers, ['consumer:9092']);
  assert.equal(load().group, 'ours');
});

test('the environment stands over the file, and brokers that are named over everything', () => {
  write('consumer.yaml', 'kafka: { brokers: [file:9092] }\n');
  const env = { TCPTRAIL_KAFKA_BROKERS: 'env:9092', TCPTRAIL_KAFKA_GROUP: 'theirs' };
  assert.deepEqual(load({ env }).kafka.brokers, ['env:9092']);
  assert.equal(load({ env }).group, 'theirs');
  assert.deepEqual(load({ env, brokers: ['named:9092', 'other:9092'] }).kafka.brokers, [
    'named:9092',
    'other:9092',
  ]);
});

test('a file of either part will do, whatever its name', () => {
  const file = write('host.yaml', 'publish: { enabled: true }\nkafka: { brokers: [x:9092] }\n');
  assert.deepEqual(load({ file }).kafka.brokers, ['x:9092']);
  const other = write('agents.yaml', 'transport: kafka\nkafka: { group: g }\n');
  assert.equal(load({ file: other }).group, 'g');
});

const isNamed = (code: string, text: RegExp) => (error: unknown) =>
  error instanceof AppError && error.code === code && error.exitCode === 2 && text.test(error.message);

test('what is wrong is told as of the part that the name says', () => {
  const agent = write('agent.yaml', 'kafka: { brokerz: [x:9092] }\npublish: { enabled: true }\n');
  assert.throws(
    () => load({ file: agent }),
    isNamed('CONFIG_UNKNOWN_KEY', /kafka\.brokerz in .*agent\.yaml/),
  );
  const consumer = write('consumer.yaml', 'kafka: { sessionMs: 1 }\n');
  assert.throws(() => load({ file: consumer }), isNamed('CONFIG_INVALID', /kafka\.sessionMs/));
});

test('a file that was named and is not there is an error', () => {
  assert.throws(() => load({ file: join(folder, 'nowhere.yaml') }), isNamed('CONFIG_MISSING', /nowhere/));
});
