import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { parsePublishCursor } from '@tcptrail/agent/publish/cursor.ts';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { handOverToKafka, handOverToSpool, mustStoreFirst } from '../../src/supervise/hand-over.ts';

const SEGMENT = '0000000000000001-00000001.avro';
const BYTES = 100;
let spool = '';
beforeEach(() => {
  spool = mkdtempSync(join(tmpdir(), 'tcptrail-hand-over-'));
  mkdirSync(join(spool, 'cursor'));
});
afterEach(() => rmSync(spool, { recursive: true }));

const at = () => ({ spool, reader: 'clickhouse', bootId: 'this-boot' });
const fileOf = (reader: string): string => join(spool, 'cursor', `${reader}.json`);
const write = (reader: string, cursor: unknown): void =>
  writeFileSync(fileOf(reader), typeof cursor === 'string' ? cursor : JSON.stringify(cursor));
const read = (reader: string): unknown => JSON.parse(readFileSync(fileOf(reader), 'utf8'));
const segment = (): void => writeFileSync(join(spool, SEGMENT), Buffer.alloc(BYTES));

const STORED = {
  segment: SEGMENT,
  position: BYTES,
  last: { hostId: 'h', agentEpoch: 1, batchSeq: 2 },
};
const PUBLISHED = {
  segment: SEGMENT,
  position: BYTES,
  bootId: 'this-boot',
  partitions: { 1: 3 },
};
const isDoubt =
  (why: RegExp) =>
  (error: unknown): boolean =>
    error instanceof AppError &&
    error.code === 'CLI_KAFKA_DOUBT' &&
    error.exitCode === 1 &&
    why.test(error.message) &&
    /run 'tcptrail up --kafka' once more/.test(error.message);

test('the agent publishes from where the consumer stood, and the cursor of the consumer goes', () => {
  segment();
  write('clickhouse', STORED);
  handOverToKafka(at());
  assert.deepEqual(parsePublishCursor(read('kafka')), {
    segment: SEGMENT,
    position: BYTES,
    bootId: 'this-boot',
    partitions: {},
  });
  assert.equal(existsSync(fileOf('clickhouse')), false);
});

test('the consumer follows the spool from where the agent stood, and the cursor of the agent goes', () => {
  segment();
  write('kafka', PUBLISHED);
  handOverToSpool(at());
  assert.deepEqual(read('clickhouse'), { segment: SEGMENT, position: BYTES });
  assert.equal(existsSync(fileOf('kafka')), false);
});

test('a start in the same way changes nothing', () => {
  segment();
  write('kafka', PUBLISHED);
  handOverToKafka(at());
  assert.deepEqual(read('kafka'), PUBLISHED);
  rmSync(fileOf('kafka'));
  write('clickhouse', STORED);
  handOverToSpool(at());
  assert.deepEqual(read('clickhouse'), STORED);
});

test('where both cursors are, that of the way before counts: the hand-over was interrupted', () => {
  segment();
  write('kafka', { ...PUBLISHED, position: 7 });
  write('clickhouse', STORED);
  handOverToSpool(at());
  assert.deepEqual(read('clickhouse'), { segment: SEGMENT, position: 7 });
  write('kafka', { ...PUBLISHED, position: 7 });
  write('clickhouse', STORED);
  handOverToKafka(at());
  assert.equal(parsePublishCursor(read('kafka')).position, BYTES);
});

test('what waits for the consumer is stored before the agent publishes', () => {
  segment();
  write('clickhouse', { segment: SEGMENT, position: 40 });
  assert.equal(mustStoreFirst(at()), true);
  write('clickhouse', STORED);
  assert.equal(mustStoreFirst(at()), false);
});

test('a spool that nobody has read is stored first, one that is published is not', () => {
  segment();
  assert.equal(mustStoreFirst(at()), true);
  write('kafka', { ...PUBLISHED, position: 40 });
  assert.equal(mustStoreFirst(at()), false);
});

test('an empty spool needs no hand-over', () => {
  assert.equal(mustStoreFirst(at()), false);
  handOverToKafka(at());
  handOverToSpool(at());
  assert.equal(existsSync(fileOf('kafka')), false);
  assert.equal(existsSync(fileOf('clickhouse')), false);
  assert.equal(mustStoreFirst({ ...at(), spool: join(spool, 'nowhere') }), false);
});

test('an agent that was killed while it sent keeps the spool for Kafka', () => {
  segment();
  const cursor = { ...PUBLISHED, position: 40, doubt: { segment: SEGMENT, position: BYTES } };
  write('kafka', cursor);
  assert.throws(() => handOverToSpool(at()), isDoubt(/killed while it sent/));
  assert.deepEqual(read('kafka'), cursor);
  assert.equal(existsSync(fileOf('clickhouse')), false);
});

test('a cursor of another boot is doubtful only when something waits behind it', () => {
  segment();
  write('kafka', { ...PUBLISHED, bootId: 'another-boot', position: 40 });
  assert.throws(() => handOverToSpool(at()), isDoubt(/the host went down/));
  write('kafka', { ...PUBLISHED, bootId: 'another-boot' });
  handOverToSpool(at());
  assert.deepEqual(read('clickhouse'), { segment: SEGMENT, position: BYTES });
});

test('a damaged cursor of the agent keeps the spool for Kafka, where it is set aside', () => {
  segment();
  write('kafka', '{"segm');
  assert.throws(() => handOverToSpool(at()), isDoubt(/is damaged/));
});

test('a damaged cursor of the consumer is stored from the start, and what goes to Kafka is marked', () => {
  segment();
  write('clickhouse', '{"segm');
  assert.equal(mustStoreFirst(at()), true);
  handOverToKafka(at());
  assert.deepEqual(parsePublishCursor(read('kafka')).doubt, { segment: SEGMENT, position: BYTES });
});
