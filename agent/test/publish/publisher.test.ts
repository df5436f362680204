import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { until } from '../../../test/harness/until.ts';
import { createSpool, NOW_US } from '../../../test/spool-writer.ts';
import { createPublisher } from '../../src/publish/publisher.ts';
import { createBroker, cursorOf, heard, publishAll, publisherOn, UNPACED } from './support/broker.ts';

test('batches go out in order, each once, several in a request, and the cursor stands behind the last', async () => {
  const spool = createSpool();
  for (let batch = 0; batch < 3; batch++) spool.batch();
  const broker = createBroker();
  await publishAll(spool, broker);
  assert.deepEqual(broker.requests, [['1/1', '2/1', '3/1']]);
  assert.equal(cursorOf(spool).position, readFileSync(spool.file).length);
  assert.equal(cursorOf(spool).doubt, undefined);
  spool.batch();
  await publishAll(spool, broker);
  assert.deepEqual(broker.requests.at(-1), ['4/1']);
});

test('a new batch wakes it, and the wait ends with the stop', async () => {
  const spool = createSpool();
  const broker = createBroker();
  const publisher = publisherOn(spool, broker);
  publisher.start();
  spool.batch();
  publisher.wake();
  await until('the batch to be sent', () => broker.requests.length === 1);
  spool.batch();
  publisher.wake();
  await until('the next to be sent', () => broker.requests.length === 2);
  await publisher.stop(60_000);
  assert.deepEqual(broker.requests, [['1/1'], ['2/1']]);
});

test('a request never spans two segments, and the cursor is in a segment before its batches are read', async () => {
  const spool = createSpool();
  spool.batch();
  spool.rotate();
  spool.batch();
  const broker = createBroker();
  const cursors: string[] = [];
  broker.answer = () => {
    cursors.push(cursorOf(spool).segment);
    return 'takes';
  };
  await publishAll(spool, broker);
  assert.deepEqual(broker.requests, [['1/1'], ['2/1']]);
  assert.ok(cursors[0] === '' && cursors[1] !== '');
});

test('what was sent without an answer goes again, marked, before what follows', async () => {
  const spool = createSpool();
  spool.batch();
  const broker = createBroker();
  broker.answer = () => (broker.requests.length === 0 ? 'takes, unanswered' : 'takes');
  const publisher = publisherOn(spool, broker);
  publisher.start();
  await until('it to go again', () => broker.requests.length === 2);
  spool.batch();
  await publisher.stop(60_000);
  assert.deepEqual(broker.requests.flat(), ['1/1', '1/1!', '2/1']);
});

test('after a kill between sending and the answer, the next run sends the same batches marked, and only these', async () => {
  const spool = createSpool();
  spool.batch();
  spool.batch();
  const broker = createBroker();
  const killed = Promise.withResolvers<void>();
  let sent = false;
  const publisher = createPublisher(
    { ...UNPACED, spoolPath: spool.path, hostId: 'host-a', bootId: 'boot-1', agentEpoch: NOW_US },
    {
      notices: heard,
      openSession: async () => ({
        partitions: 12,
        async send() {
          sent = true;
          // The process ends here.
          await killed.promise;
          throw new AppError('KAFKA_UNREACHABLE', 'killed');
        },
        async close() {},
      }),
    },
  );
  publisher.start();
  await until('the request to be sent', () => sent);
  spool.batch();
  await publishAll(spool, broker, { agentEpoch: NOW_US + 1 });
  assert.deepEqual(broker.requests, [['1/1!', '2/1!'], ['3/1']]);
  killed.resolve();
  await publisher.stop(60_000);
});

test('a partition is chosen once for a run, written down before the first request, and kept when the topic grows', async () => {
  const spool = createSpool();
  spool.batch();
  const broker = createBroker();
  let written: number | undefined;
  broker.answer = () => {
    written ??= cursorOf(spool).partitions[NOW_US];
    return 'takes';
  };
  await publishAll(spool, broker);
  assert.equal(written, broker.sentTo[0]);
  broker.count = 500;
  spool.batch();
  await publishAll(spool, broker);
  assert.equal(broker.sentTo[1], broker.sentTo[0]);
  spool.restart(NOW_US + 7);
  spool.batch();
  await publishAll(spool, broker, { agentEpoch: NOW_US + 7 });
  assert.deepEqual(Object.keys(cursorOf(spool).partitions), [String(NOW_US + 7)]);
  assert.ok((broker.sentTo[2] ?? 500) < 500);
});

test('runs spread over the partitions', async () => {
  const spool = createSpool();
  const broker = createBroker();
  broker.count = 4;
  for (let run = 1; run <= 40; run++) {
    spool.restart(NOW_US + run);
    spool.batch();
  }
  await publishAll(spool, broker);
  assert.deepEqual([...new Set(broker.sentTo)].toSorted(), [0, 1, 2, 3]);
});

test('batches that are too large together go one by one', async () => {
  const spool = createSpool();
  for (let batch = 0; batch < 3; batch++) spool.batch(2);
  const broker = createBroker();
  broker.answer = (request) => (request.length > 1 ? 'too large' : 'takes');
  await publishAll(spool, broker);
  assert.deepEqual(broker.requests, [['1/1'], ['2/1'], ['3/1']]);
});

test('a batch that is too large goes in parts, and so do all after it', async () => {
  const spool = createSpool();
  spool.batch(9);
  spool.batch(3);
  spool.batch(8);
  const broker = createBroker();
  broker.answer = (_, events) => (events > 4 ? 'too large' : 'takes');
  const splits: number[] = [];
  await publishAll(spool, broker, { notices: { publishSplit: (events) => splits.push(events) } });
  assert.deepEqual(broker.requests.flat(), ['1/2', '1/6', '1/7', '2/1', '3/2', '3/3']);
  assert.deepEqual(splits, [4]);
});

test('parts sent before a kill go again as the same parts or smaller, marked', async () => {
  const spool = createSpool();
  spool.batch(8);
  const broker = createBroker();
  broker.answer = (request, events) => {
    if (events > 4) return 'too large';
    return request.includes('1/3') ? 'takes, unanswered' : 'takes';
  };
  const first = publisherOn(spool, broker);
  first.start();
  await first.stop(60_000);
  assert.equal(cursorOf(spool).partEventsMax, 4);
  broker.answer = () => 'takes';
  const before = broker.requests.length;
  await publishAll(spool, broker, { agentEpoch: NOW_US + 1 });
  assert.deepEqual(broker.requests.slice(before).flat(), ['1/2!', '1/3!']);
  spool.restart(NOW_US + 2);
  spool.batch(8);
  await publishAll(spool, broker, { agentEpoch: NOW_US + 2 });
  assert.deepEqual(broker.requests.at(-1), ['1/1'], 'with nothing in doubt batches are whole again');
});

test('a message that is too large and cannot be split is told, and tried again', async () => {
  const spool = createSpool();
  spool.batch(1);
  const broker = createBroker();
  const told: string[] = [];
  broker.answer = () => (told.length < 2 ? 'too large' : 'takes');
  const publisher = publisherOn(spool, broker, {
    notices: { publishFailed: (error) => told.push(error.code) },
  });
  publisher.start();
  await until('it to be taken', () => broker.requests.length === 1);
  await publisher.stop(60_000);
  assert.deepEqual(told, ['KAFKA_MESSAGE_TOO_LARGE', 'KAFKA_MESSAGE_TOO_LARGE']);
});

test('after another boot everything that older runs left is marked: the newest cursor may be gone with the power', async () => {
  const spool = createSpool();
  spool.batch();
  const broker = createBroker();
  await publishAll(spool, broker);
  spool.batch();
  spool.restart(NOW_US + 1);
  spool.batch();
  await publishAll(spool, broker, { bootId: 'boot-2', agentEpoch: NOW_US + 1 });
  assert.deepEqual(broker.requests.slice(1), [['2/1!'], ['1/1']]);
});

test('a damaged cursor is kept aside, and everything that older runs left goes again, marked', async () => {
  const spool = createSpool();
  spool.batch();
  const broker = createBroker();
  await publishAll(spool, broker);
  const file = join(spool.path, 'cursor/kafka.json');
  writeFileSync(file, '{"segment":');
  const damaged: string[] = [];
  await publishAll(spool, broker, {
    agentEpoch: NOW_US + 1,
    notices: { publishCursorDamaged: (keptAs) => damaged.push(keptAs) },
  });
  assert.deepEqual(broker.requests, [['1/1'], ['1/1!']]);
  assert.ok(existsSync(damaged[0] ?? ''));
});

test('damaged bytes are handed over and passed; batches around them go out', async () => {
  const spool = createSpool();
  spool.batch();
  const [from] = [readFileSync(spool.file).length];
  spool.raw(Buffer.from('not a block at all, but bytes'));
  const whole = readFileSync(spool.file).length;
  spool.rotate();
  spool.batch();
  const broker = createBroker();
  const damage: [number, string][] = [];
  const positions: number[] = [];
  broker.answer = () => {
    positions.push(cursorOf(spool).position);
    return 'takes';
  };
  await publishAll(spool, broker, {
    notices: { publishDamage: ({ from: at, bytes }) => damage.push([at, String(bytes)]) },
  });
  assert.deepEqual(broker.requests, [['1/1'], ['2/1']]);
  assert.equal(damage.length, 1);
  assert.equal(damage[0]?.[0], from);
  assert.equal(positions[1], whole, 'the cursor is at the end of the first segment when the next is read');
});

test('while Kafka does not answer it waits and tries again with a new session, and ends when told to', async () => {
  const spool = createSpool();
  spool.batch();
  let sessions = 0;
  const told: string[] = [];
  const publisher = createPublisher(
    { ...UNPACED, spoolPath: spool.path, hostId: 'host-a', bootId: 'boot-1', agentEpoch: NOW_US },
    {
      notices: { ...heard, publishFailed: (error) => told.push(error.code) },
      openSession: async () => {
        sessions += 1;
        throw new AppError('KAFKA_UNREACHABLE', 'no');
      },
    },
  );
  publisher.start();
  await until('a second try', () => sessions >= 2);
  await publisher.stop(60_000);
  assert.ok(told.length >= 2 && told.every((code) => code === 'KAFKA_UNREACHABLE'));
  const broker = createBroker();
  await publishAll(spool, broker);
  assert.deepEqual(broker.requests, [['1/1']], 'nothing was sent, so nothing is marked');
});
