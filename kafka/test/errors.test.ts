import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import kafkajs from 'kafkajs';
import { kafkaKeys } from '../src/config.ts';
import { explain } from '../src/errors.ts';

const config = kafkaKeys.parse({
  brokers: ['a:9092', 'b:9092'],
  sasl: { mechanism: 'plain', username: 'u', password: 'secret' },
});
const protocol = (type: string) => new kafkajs.KafkaJSProtocolError(Object.assign(new Error(type), { type }));
const told = (error: unknown, attempt = {}) => {
  const { code, message } = explain(error, config, attempt);
  assert.doesNotMatch(message, /secret/);
  return [code, message];
};

test('a broker that refuses connections is named with its address and the reason, however deep it is wrapped', () => {
  const inner = new kafkajs.KafkaJSConnectionError('Connection error: connect', { code: 'ECONNREFUSED' });
  const wrapped = new kafkajs.KafkaJSNumberOfRetriesExceeded(inner, { retryCount: 2, retryTime: 100 });
  for (const error of [inner, wrapped]) {
    assert.deepEqual(told(error), [
      'KAFKA_UNREACHABLE',
      'Kafka does not answer at a:9092, b:9092 (ECONNREFUSED); start it, or set kafka.brokers',
    ]);
  }
});

test('a connection that is closed at once asks whether TLS and login are as the listener wants them', () => {
  const [code, message] = told(
    Object.assign(new Error('Closed connection'), { name: 'KafkaJSConnectionClosedError' }),
  );
  assert.equal(code, 'KAFKA_UNREACHABLE');
  assert.match(message ?? '', /if it runs: is kafka\.tls\.enabled as its listener wants it\?$/);
});

test('a refused login names the user and the mechanism', () => {
  const [code, message] = told(
    Object.assign(new Error('SASL PLAIN authentication failed'), { name: 'KafkaJSSASLAuthenticationError' }),
  );
  assert.equal(code, 'KAFKA_LOGIN_REFUSED');
  assert.match(message ?? '', /refuses user "u" with plain; set kafka\.sasl/);
});

test('a missing right names the right, the resource and the command that grants it', () => {
  const topic = told(protocol('TOPIC_AUTHORIZATION_FAILED'), { topic: 't', operation: 'Write' });
  assert.deepEqual(topic, [
    'KAFKA_NOT_AUTHORISED',
    'Kafka user "u" has no right to write topic t; grant it: kafka-acls --bootstrap-server a:9092,b:9092 --add --allow-principal User:u --topic t --operation Write',
  ]);
  const group = told(protocol('GROUP_AUTHORIZATION_FAILED'), { group: 'g', operation: 'Read' });
  assert.match(group[1] ?? '', /no right to read group g; grant it: .* --group g --operation Read$/);
  const prefix = { group: 'g-reader', isGroupPrefix: true, operation: 'Read' };
  const groups = told(protocol('GROUP_AUTHORIZATION_FAILED'), prefix);
  assert.match(groups[1] ?? '', / --group g-reader --resource-pattern-type prefixed --operation Read$/);
});

test('a missing topic and a message that is too large have codes of their own', () => {
  assert.equal(told(protocol('UNKNOWN_TOPIC_OR_PARTITION'), { topic: 't' })[0], 'KAFKA_TOPIC_MISSING');
  assert.equal(told(protocol('MESSAGE_TOO_LARGE'), { topic: 't' })[0], 'KAFKA_MESSAGE_TOO_LARGE');
  assert.equal(told(protocol('RECORD_LIST_TOO_LARGE'), { topic: 't' })[0], 'KAFKA_MESSAGE_TOO_LARGE');
});

test('what is explained already stays as it is, and what nobody foresaw keeps its first line', () => {
  const own = new AppError('OWN', 'mine');
  assert.equal(explain(own, config), own);
  assert.deepEqual(told(new Error('strange\nstack')).at(0), 'KAFKA_BUSY');
  assert.match(told(new Error('strange\nstack'))[1] ?? '', /cannot do it now \(strange\)/);
});
