import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { keysOf, namesBelow } from '../src/keys.ts';
import { secretFile } from '../src/secret.ts';
import { SAMPLE } from './support/sample.ts';

test('a key has one variable, words and levels parted by underscores', () => {
  assert.deepEqual(
    keysOf(SAMPLE).map(({ name, variable }) => [name, variable]),
    [
      ['name', 'TCPTRAIL_NAME'],
      ['url', 'TCPTRAIL_URL'],
      ['isOn', 'TCPTRAIL_IS_ON'],
      ['share', 'TCPTRAIL_SHARE'],
      ['mode', 'TCPTRAIL_MODE'],
      ['batch.rowsMax', 'TCPTRAIL_BATCH_ROWS_MAX'],
      ['batch.ports', 'TCPTRAIL_BATCH_PORTS'],
      ['spool.path', 'TCPTRAIL_SPOOL_PATH'],
      ['kafka.brokers', 'TCPTRAIL_KAFKA_BROKERS'],
      ['kafka.sasl.username', 'TCPTRAIL_KAFKA_SASL_USERNAME'],
      ['kafka.sasl.password', 'TCPTRAIL_KAFKA_SASL_PASSWORD'],
      ['kafka.sasl.passwordFile', 'TCPTRAIL_KAFKA_SASL_PASSWORD_FILE'],
    ],
  );
});

test('a key knows its type, range, default and meaning', () => {
  const keys = keysOf(SAMPLE);
  const key = keys.find(({ name }) => name === 'batch.ports');
  assert.deepEqual(
    [key?.kind, key?.itemKind, key?.wanted, key?.fallback, key?.meaning, key?.isRequired],
    ['list', 'integer', 'a list, each a whole number from 1 to 65535', [], 'A list of numbers.', false],
  );
});

test('only what is marked is a secret, also under a default and a description', () => {
  const secrets = keysOf(SAMPLE).filter(({ isSecret }) => isSecret);
  assert.deepEqual(
    secrets.map(({ name }) => name),
    ['kafka.sasl.password'],
  );
});

test('a range is said from both sides, one side or not at all', () => {
  const wanted = (schema: z.ZodType): string | undefined =>
    keysOf(z.strictObject({ key: schema }))[0]?.wanted;
  assert.equal(wanted(z.int()), 'a whole number');
  assert.equal(wanted(z.int().min(3)), 'a whole number of at least 3');
  assert.equal(wanted(z.number().max(3)), 'a number of at most 3');
  assert.equal(wanted(z.string().min(1)), 'a text that is not empty');
  assert.equal(wanted(z.literal('one')), 'one');
});

test('names below a section are its keys and sections', () => {
  const keys = keysOf(SAMPLE);
  assert.deepEqual(namesBelow(keys, ['kafka']), ['brokers', 'sasl']);
  assert.deepEqual(namesBelow(keys, ['kafka', 'brokers']), []);
});

test('a schema of other values, and a file of no secret, are defects', () => {
  assert.throws(
    () => keysOf(z.strictObject({ key: z.union([z.string(), z.int()]) })),
    /^AssertionError.*key/,
  );
  assert.throws(
    () => keysOf(z.strictObject({ word: z.string(), wordFile: secretFile('word') })),
    /^AssertionError.*wordFile/,
  );
});
