import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { frame } from '@tcptrail/schemas/single-object.ts';
import { splitBatch } from '@tcptrail/schemas/split-batch.ts';
import { type KafkaSetup, useKafkaAndStore } from '../../test/harness/kafka-consumer.ts';
import { batch } from '../../test/harness/numbered-batch.ts';
import { setUpSpool } from '../../test/harness/spool-consumer.ts';
import { HOST } from '../../test/spool-writer.ts';
import { run } from './run-command.ts';

const kafka = useKafkaAndStore();

interface Line {
  readonly kind: string;
  readonly partition: number | null;
  readonly first: number;
  readonly last: number;
  readonly host_id: string;
  readonly what: string;
  readonly problem: boolean;
}

async function verify(
  setup: { readonly file: string },
  ...args: readonly string[]
): Promise<{ code: number | null; lines: readonly Line[] }> {
  const ended = await run(['verify', '--json', '--config', setup.file, ...args]);
  assert.equal(ended.stderr, '');
  const lines = ended.stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);
  return { code: ended.code, lines };
}

/** Kind, partition, first, last of each finding. */
const brief = ({ lines }: { readonly lines: readonly Line[] }) =>
  lines.map(({ kind, partition, first, last }) => [kind, partition, first, last]);

/** Four batches, stored: offsets 0 to 3, numbers 1 to 4. */
async function stored(): Promise<KafkaSetup> {
  const setup = await kafka.setUp();
  await setup.send(...[1, 2, 3, 4].map((seq) => frame(batch(seq))));
  await setup.once();
  return setup;
}

/** As retention does, up to before `offset`. */
async function ageAway({ topic }: KafkaSetup, offset: number): Promise<void> {
  // The client finds the leaders of topics alone that it was asked for before.
  await kafka.admin.fetchTopicOffsets(topic);
  await kafka.admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(offset) }] });
}

suite('each with a topic and a database of its own', { concurrency: 3 }, () => {
  test('what is whole is clean, with batches that were sent twice, split, or wait', async () => {
    const setup = await stored();
    assert.deepEqual(await verify(setup), { code: 0, lines: [] });
    const halves = splitBatch(batch(5)) ?? [];
    await setup.send(frame(batch(2, { maybe_duplicate: true })), ...halves.map(frame));
    await setup.once();
    assert.deepEqual(await verify(setup), { code: 0, lines: [] });
    await setup.send(frame(batch(6)));
    const waiting = await verify(setup);
    assert.equal(waiting.code, 0);
    assert.deepEqual(brief(waiting), [['waiting', 0, 7, 7]]);
    const ended = await run(['verify', '--config', setup.file]);
    assert.match(ended.stdout, /6 batches, 50 rows of 1 host, nothing is wrong\n$/);
  });

  test('a batch of a host whose clock is wrong is looked at when it came, whatever time it says', async () => {
    const setup = await kafka.setUp();
    const says = (seq: number, date: string) => frame(batch(seq, { batch_ts: Date.parse(date) * 1000 }));
    await setup.send(frame(batch(1)), says(2, '2001-01-01'), says(3, '2035-01-01'), frame(batch(4)));
    await setup.once();
    assert.deepEqual(await verify(setup), { code: 0, lines: [] });
    await setup.command('DELETE FROM {db}.tcp_events WHERE seq = 13');
    assert.deepEqual(brief(await verify(setup)), [['rows', 0, 1, 1]]);
  });

  test('a row that is missing, one too many, and rows without their batch are told', async () => {
    const setup = await stored();
    await setup.command('DELETE FROM {db}.tcp_events WHERE seq = 13');
    const missing = await verify(setup);
    assert.equal(missing.code, 1);
    assert.deepEqual(brief(missing), [['rows', 0, 1, 1]]);
    assert.match(missing.lines[0]?.what ?? '', /batch 2 had 10 events, and the table holds 9 rows of it/);
    assert.equal(missing.lines[0]?.host_id, HOST);
    await setup.command('INSERT INTO {db}.tcp_events SELECT * FROM {db}.tcp_events WHERE seq = 1');
    assert.deepEqual(brief(await verify(setup)), [
      ['rows', 0, 0, 0],
      ['rows', 0, 1, 1],
    ]);
    await setup.command('DELETE FROM {db}.tcp_batches WHERE batch_seq = 4');
    const orphans = await verify(setup, '--host', HOST);
    assert.deepEqual(brief(orphans).at(-1), ['rows', 0, 3, 3]);
    assert.match(orphans.lines.at(-1)?.what ?? '', /10 rows of batch 4, and not the batch/);
    assert.deepEqual((await verify(setup, '--host', 'another')).lines, []);
  });

  test('a message that is neither stored nor parked is a gap, told once', async () => {
    const setup = await stored();
    for (const table of ['tcp_events', 'tcp_batches'])
      await setup.command(`DELETE FROM {db}.${table} WHERE batch_seq = 2`);
    const found = await verify(setup);
    assert.equal(found.code, 1);
    assert.deepEqual(brief(found), [['gap', 0, 1, 1]]);
    assert.match(
      found.lines[0]?.what ?? '',
      /message 1 is batch 2 of the run, and it is neither stored nor parked/,
    );
  });

  test('what Kafka no longer has is missed by the numbers of its run, unless its agent counted it as dropped', async () => {
    const setup = await stored();
    await ageAway(setup, 3);
    assert.deepEqual((await verify(setup)).lines, []);
    for (const table of ['tcp_events', 'tcp_batches'])
      await setup.command(`DELETE FROM {db}.${table} WHERE batch_seq IN (1, 3)`);
    const found = await verify(setup);
    assert.deepEqual(brief(found), [
      ['gap', null, 1, 1],
      ['gap', null, 3, 3],
    ]);
    const none = { seq_last: 0, rows: 0, rows_ahead: 0, failed: 0, folded: 0, filtered: 0 };
    const cpus = [{ cpu: 0, ...none, folded_ahead: 0, filtered_ahead: 0, spool_dropped: 7 }];
    await setup.send(frame(batch(7, { cpus })));
    await setup.once();
    const counted = (await verify(setup)).lines.at(-1);
    assert.deepEqual(
      [counted?.kind, counted?.first, counted?.last, counted?.problem],
      ['dropped', 5, 6, false],
    );
    assert.match(counted?.what ?? '', /7 events that a full spool dropped/);
  });

  test('a batch stored from two messages, and one twice from the same, overlap', async () => {
    const setup = await stored();
    for (const table of ['tcp_events', 'tcp_batches'])
      await setup.command(
        `INSERT INTO {db}.${table} SELECT * REPLACE (toUInt64(2) AS origin_offset, toUInt32(7) AS origin_partition) FROM {db}.${table} WHERE batch_seq = 2`,
      );
    const found = await verify(setup);
    assert.equal(found.code, 1);
    assert.deepEqual(brief(found), [['overlap', null, 2, 2]]);
    assert.match(found.lines[0]?.what ?? '', /stored more than once: from partition and offset 0 1, 7 2/);
    await setup.command('INSERT INTO {db}.tcp_batches SELECT * FROM {db}.tcp_batches WHERE batch_seq = 3');
    assert.ok(brief(await verify(setup)).some((one) => one.join() === 'overlap,0,2,2'));
  });

  test('of a batch that was split a missing part is a gap', async () => {
    const setup = await stored();
    const [half] = splitBatch(batch(5)) ?? [];
    assert.ok(half);
    await setup.send(frame(half), frame(batch(6)));
    await setup.once();
    const found = await verify(setup);
    assert.deepEqual(brief(found), [['gap', null, 5, 5]]);
    assert.match(found.lines[0]?.what ?? '', /of batch 5, which was split, a part is missing/);
  });

  test('a parked batch is told until it is discarded', async () => {
    const setup = await stored();
    await setup.send(Buffer.from(frame(batch(5))).subarray(0, -50), frame(batch(6)));
    await setup.once();
    const found = await verify(setup);
    assert.equal(found.code, 1);
    assert.deepEqual(brief(found), [['parked', 0, 4, 4]]);
    const ended = await run(['dlq', 'discard', '--all', '--yes', '--why', 'test', '--config', setup.file]);
    assert.equal(ended.code, 0, ended.stderr);
    assert.deepEqual(await verify(setup), { code: 0, lines: [] });
  });

  test('a group that was set back is a rewind', async () => {
    const setup = await stored();
    const partitions = [{ partition: 0, offset: '1' }];
    await kafka.admin.setOffsets({ groupId: setup.group, topic: setup.topic, partitions });
    const back = await verify(setup);
    assert.equal(back.code, 1);
    assert.deepEqual(brief(back), [
      ['rewind', 0, 1, 3],
      ['waiting', 0, 1, 3],
    ]);
  });

  test('a topic that ends before what the table has of it, or holds another batch there, is a rewind', async () => {
    const setup = await stored();
    const isRewind = ({ kind }: Line): boolean => kind === 'rewind';
    // As if the message at offset 3 had been batch 9 when it was stored.
    await setup.command(
      'INSERT INTO {db}.tcp_batches SELECT * REPLACE (toUInt64(9) AS batch_seq) FROM {db}.tcp_batches WHERE origin_offset = 3',
    );
    await setup.command('DELETE FROM {db}.tcp_batches WHERE batch_seq = 4');
    const other = await verify(setup);
    assert.equal(other.code, 1);
    const [found] = other.lines.filter(isRewind);
    assert.match(
      found?.what ?? '',
      /^message 3 is batch .*\/4\/1, and the table has batch .*\/9\/1 from there/,
    );
    await setup.command(
      'INSERT INTO {db}.tcp_batches SELECT * REPLACE (toUInt64(12) AS origin_offset) FROM {db}.tcp_batches WHERE batch_seq = 9',
    );
    const beyond = await verify(setup);
    assert.deepEqual(brief({ lines: beyond.lines.filter(isRewind) }), [['rewind', 0, 4, 12]]);
  });

  test('messages that aged away before they were stored are a gap', async () => {
    const setup = await stored();
    await setup.send(...[5, 6, 7].map((seq) => frame(batch(seq))));
    await ageAway(setup, 6);
    const found = await verify(setup);
    assert.equal(found.code, 1);
    assert.deepEqual(brief(found), [
      ['gap', 0, 4, 5],
      ['waiting', 0, 6, 6],
    ]);
  });

  test('without Kafka the table alone is checked', async () => {
    const setup = setUpSpool(kafka.server);
    for (let index = 0; index < 3; index++) setup.spool.batch(10);
    await setup.once();
    assert.deepEqual(await verify(setup), { code: 0, lines: [] });
    await kafka.server.client.command({ query: `DELETE FROM ${setup.database}.tcp_events WHERE seq = 13` });
    assert.deepEqual(brief(await verify(setup)), [['rows', 0, 2, 2]]);
  });
});
