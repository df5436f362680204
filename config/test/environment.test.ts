import assert from 'node:assert/strict';
import { test } from 'node:test';
import { misspeltIn, variablesIn, withEnvironment } from '../src/environment.ts';
import { keysOf } from '../src/keys.ts';
import { SAMPLE } from './support/sample.ts';

const KEYS = keysOf(SAMPLE);

test('every text is read as the type of its key', () => {
  const tree = withEnvironment({}, KEYS, {
    TCPTRAIL_NAME: '123',
    TCPTRAIL_KAFKA_SASL_PASSWORD: 'true',
    TCPTRAIL_IS_ON: 'True',
    TCPTRAIL_SHARE: '0.25',
    TCPTRAIL_BATCH_ROWS_MAX: '5',
    TCPTRAIL_BATCH_PORTS: '80, 443',
    TCPTRAIL_KAFKA_BROKERS: 'a:1,b:2',
  });
  assert.deepEqual(tree, {
    name: '123',
    isOn: true,
    share: 0.25,
    batch: { rowsMax: 5, ports: [80, 443] },
    kafka: { brokers: ['a:1', 'b:2'], sasl: { password: 'true' } },
  });
});

test('an empty variable is an empty text or an empty list', () => {
  assert.deepEqual(withEnvironment({}, KEYS, { TCPTRAIL_NAME: '', TCPTRAIL_BATCH_PORTS: '' }), {
    name: '',
    batch: { ports: [] },
  });
});

test('what is not of its type is left as it is', () => {
  const env = { TCPTRAIL_BATCH_ROWS_MAX: '5.5', TCPTRAIL_IS_ON: 'yes', TCPTRAIL_SHARE: '' };
  assert.deepEqual(withEnvironment({}, KEYS, env), { isOn: 'yes', share: '', batch: { rowsMax: '5.5' } });
});

test('keys of the file beside those of the environment stay, and the file as given too', () => {
  const file = { batch: { rowsMax: 5 }, other: 1 };
  assert.deepEqual(withEnvironment(file, KEYS, { TCPTRAIL_BATCH_PORTS: '1' }), {
    batch: { rowsMax: 5, ports: [1] },
    other: 1,
  });
  assert.deepEqual(file, { batch: { rowsMax: 5 }, other: 1 });
});

test('the variables that name keys are told', () => {
  assert.deepEqual(variablesIn(KEYS, { TCPTRAIL_SPOOL_PATH: '', TCPTRAIL_HOME: '/x', NAME: 'x' }), [
    'TCPTRAIL_SPOOL_PATH',
  ]);
});

test('only variables near to a key are taken for misspelt', () => {
  const env = {
    TCPTRAIL_SPOOL_PAHT: '',
    TCPTRAIL_BATCH_ROWSMAX: '',
    TCPTRAIL_HOME: '',
    TCPTRAIL_COMMAND: '',
    TCPTRAIL_TEST_LONG: '',
    TCPTRAIL_CLICKHOUSE_READER_PASSWORD: '',
    SPOOL_PATH: '',
  };
  assert.deepEqual(misspeltIn(KEYS, env), [
    { variable: 'TCPTRAIL_BATCH_ROWSMAX', near: 'TCPTRAIL_BATCH_ROWS_MAX' },
    { variable: 'TCPTRAIL_SPOOL_PAHT', near: 'TCPTRAIL_SPOOL_PATH' },
  ]);
});
