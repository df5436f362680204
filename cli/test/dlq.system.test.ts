import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { frame } from '@tcptrail/schemas/single-object.ts';
import { type KafkaSetup, useKafkaAndStore } from '../../test/harness/kafka-consumer.ts';
import { batch, ROWS } from '../../test/harness/numbered-batch.ts';
import { holding, startProxy } from '../../test/harness/proxy.ts';
import { setUpSpool } from '../../test/harness/spool-consumer.ts';
import { until } from '../../test/harness/until.ts';
import { sampleEnvelope } from '../../test/sample-batch.ts';
import { datumOf, HOST, NOW_US } from '../../test/spool-writer.ts';
import { COMPLETE, dlq, list, refuse, verdict } from './dlq/letters.ts';
import { isOneSentence, run, start } from './run-command.ts';

const kafka = useKafkaAndStore();
const { setUp } = kafka;

/** Of a host whose clock is wrong: by its own time ClickHouse would drop it at once. */
const REFUSED = frame(batch(2, { batch_ts: Date.parse('2001-01-01') * 1000 }));

async function parkedOne(): Promise<{ setup: KafkaSetup; mend: () => Promise<void> }> {
  const setup = await setUp();
  await setup.send(frame(batch(1)));
  await setup.once();
  const mend = await refuse(kafka.server, setup, 2);
  await setup.send(REFUSED, frame(batch(3)));
  await setup.once();
  return { setup, mend };
}

const NEXT_DAY = new Date(NOW_US / 1000 + 86_400_000).toISOString().slice(0, 10);

suite('each with a topic and a database of its own', { concurrency: 3 }, () => {
  test('a refused batch is listed, shown, refused again, and after the mending stored once under its origin', async () => {
    const { setup, mend } = await parkedOne();
    const [letter, ...others] = await list(setup);
    assert.deepEqual(others, []);
    assert.ok(letter);
    assert.equal(letter.reason, 'STORE_ROWS_REFUSED');
    assert.equal(letter.origin_offset, 1);
    assert.equal(letter.host_id, HOST);
    assert.equal(letter.bytes, REFUSED.length);
    assert.deepEqual(await verdict(setup), {
      ...COMPLETE,
      verdict: 'parked',
      missing: ROWS,
      parked: ROWS,
    });

    const shown = await dlq(setup, 'show', letter.id);
    assert.match(shown.stdout, /decodes +whole, 10 events/);
    assert.match(shown.stdout, new RegExp(`host +.*\\(${HOST}\\)`));

    const refused = await dlq(setup, 'retry', letter.id);
    assert.equal(refused.code, 1);
    assert.match(refused.stdout, /refused again: /);
    assert.equal((await setup.counts()).n, 2 * ROWS);

    await mend();
    // Of two addresses only the second answers.
    const env = {
      TCPTRAIL_CLICKHOUSE_URL: 'http://127.0.0.1:1',
      TCPTRAIL_CLICKHOUSE_FALLBACK_URLS: kafka.server.url,
    };
    for (const _ of [1, 2]) {
      const ended = await run(['dlq', 'retry', letter.id, '--config', setup.file], { env });
      assert.equal(ended.code, 0, ended.stderr);
      assert.deepEqual(await setup.counts(), { n: 3 * ROWS, u: 3 * ROWS, b: 3 });
    }
    const stored = await setup.rows(
      'SELECT DISTINCT origin, origin_offset FROM {db}.tcp_events WHERE batch_seq = 2',
    );
    assert.deepEqual(stored, [{ origin: letter.origin, origin_offset: 1 }]);
    assert.deepEqual(await list(setup), []);
    assert.deepEqual(
      (await list(setup, '--all')).map(({ state }) => state),
      ['stored'],
    );
    assert.deepEqual(await verdict(setup), COMPLETE);
  });

  test('of a batch that is refused in part nothing is stored, and after the mending all of it', async () => {
    const setup = await setUp();
    const midnight = Math.floor(NOW_US / 86_400e6) * 86_400e6;
    const events = Array.from({ length: ROWS }, (_, index) => ({
      seq: ROWS + 1 + index,
      tsUs: midnight + (index < 4 ? -1 : 1),
    }));
    const overMidnight = datumOf({ agent_epoch: NOW_US, batch_seq: 2, batch_ts: midnight + 1e6 }, events);
    await setup.send(frame(batch(1)));
    await setup.once();
    // The day before is inserted first.
    const ofToday = `day != toDate(fromUnixTimestamp64Micro(toInt64(${midnight}))) OR batch_seq = 1`;
    const constraints = [
      [`${setup.database}.tcp_events`, ofToday],
      [`${setup.database}.tcp_batches`, 'batch_seq != 3'],
    ] as const;
    for (const [table, check] of constraints)
      await kafka.server.client.command({
        query: `ALTER TABLE ${table} ADD CONSTRAINT refused CHECK ${check}`,
      });
    await setup.send(frame(overMidnight));
    await setup.once();
    assert.deepEqual(await setup.counts(), { n: ROWS, u: ROWS, b: 1 });
    await kafka.server.client.command({ query: `ALTER TABLE ${constraints[0][0]} DROP CONSTRAINT refused` });
    await setup.send(frame(batch(3)));
    await setup.once();
    assert.deepEqual(await setup.counts(), { n: ROWS, u: ROWS, b: 1 }, 'the events went first');
    await kafka.server.client.command({ query: `ALTER TABLE ${constraints[1][0]} DROP CONSTRAINT refused` });
    const ended = await dlq(setup, 'retry', '--all');
    assert.equal(ended.code, 0, ended.stdout + ended.stderr);
    assert.deepEqual(await setup.counts(), { n: 3 * ROWS, u: 3 * ROWS, b: 3 });
  });

  test('a letter whose rows are not what they must be is told, and those behind it are stored', async () => {
    const setup = await setUp();
    await setup.send(frame(batch(1)));
    await setup.once();
    for (const seq of [2, 3]) {
      const mend = await refuse(kafka.server, setup, seq);
      await setup.send(frame(batch(seq)));
      await setup.once();
      await mend();
    }
    const table = `${setup.database}.tcp_events`;
    await setup.command(`INSERT INTO ${table} SELECT * REPLACE (1 AS origin_offset) FROM ${table} LIMIT 3`);
    const retried = await dlq(setup, 'retry', '--all');
    assert.equal(retried.code, 1, retried.stderr);
    assert.match(retried.stdout, /✘ \S+ tcp_events holds 3 of 10 rows of batch 1/);
    assert.match(retried.stdout, /✔ \S+ stored as \S+\/2\n1 of 2 letters stored/);
  });

  test('a hold on a host keeps its messages that nobody can read, and --except-held discards the others', async () => {
    const setup = await setUp();
    const unknown = Buffer.from(frame(batch(1)));
    unknown.fill(0xee, 2, 10);
    await setup.send(unknown, unknown);
    await setup.sendAs('host-b', unknown);
    await setup.once();
    assert.deepEqual(
      (await list(setup)).map(({ reason, host_id: host }) => [reason, host]),
      [1, 2, 3].map(() => ['SCHEMA_UNKNOWN', '']),
    );
    const added = await run([
      ...['hold', 'add', '--url', kafka.server.url, '--database', setup.database, '--host', HOST],
      ...['--reason', 'a case', '--author', 'legal', '--until', NEXT_DAY],
    ]);
    assert.equal(added.code, 0, added.stderr);
    const refused = await dlq(setup, 'discard', '--all', '--yes', '--why', 'test');
    assert.equal(refused.code, 1, refused.stdout);
    assert.ok(isOneSentence(refused.stderr), refused.stderr);
    assert.match(
      refused.stderr,
      /2 letters are under a legal hold, so nothing was discarded: hold \w+ of legal/,
    );
    const others = await dlq(setup, 'discard', '--all', '--except-held', '--yes', '--why', 'test');
    assert.equal(others.code, 0, others.stderr);
    assert.match(others.stdout, /^1 letter discarded; .*; 2 letters under a legal hold stay\n$/);
    assert.equal((await list(setup)).length, 2);
  });

  test('a retry that is killed between its two INSERTs is finished by the next one', async () => {
    const { setup, mend } = await parkedOne();
    await mend();
    const proxy = await startProxy(kafka.server.url, holding(`INSERT INTO ${setup.database}.tcp_batches`));
    const killed = start(['dlq', 'retry', '--all', '--config', setup.file, '--url', proxy.url]);
    await proxy.held;
    killed.child.kill('SIGKILL');
    await killed.ended;
    proxy.stop();
    assert.deepEqual(await setup.counts(), { n: 3 * ROWS, u: 3 * ROWS, b: 2 });
    assert.equal((await list(setup)).length, 1, 'half a batch is not stored');
    const ended = await dlq(setup, 'retry', '--all');
    assert.equal(ended.code, 0, ended.stdout + ended.stderr);
    assert.deepEqual(await setup.counts(), { n: 3 * ROWS, u: 3 * ROWS, b: 3 });
    assert.deepEqual(await verdict(setup), COMPLETE);
  });

  test('two retries at the same time store a letter once: the second waits for the first', async () => {
    const { setup, mend } = await parkedOne();
    await mend();
    const slow = await startProxy(kafka.server.url, holding(`INSERT INTO ${setup.database}.tcp_events`));
    // What is held must not be given up: then the first would ask the ledger again.
    const env = { TCPTRAIL_CLICKHOUSE_REQUEST_WAIT_MS_MAX: '120000' };
    const first = start(['dlq', 'retry', '--all', '--config', setup.file, '--url', slow.url], { env });
    await slow.held;
    const watched = await startProxy(kafka.server.url);
    const second = start(['dlq', 'retry', '--all', '--config', setup.file, '--url', watched.url]);
    const tries = (): number => watched.asked.filter((text) => /CREATE TABLE .*storing_/.test(text)).length;
    await until('the second to wait, or to end', () => tries() >= 2 || second.child.exitCode !== null);
    assert.equal(second.child.exitCode, null, second.stdout());
    slow.release();
    const both = await Promise.all([first.ended, second.ended]);
    assert.deepEqual(
      both.map(({ code }) => code),
      [0, 0],
      JSON.stringify(both),
    );
    assert.deepEqual(await setup.counts(), { n: 3 * ROWS, u: 3 * ROWS, b: 3 });
  });

  test('both copies of a batch that was sent twice are stored once, the second retried first', async () => {
    const setup = await setUp();
    await setup.send(frame(batch(1)));
    await setup.once();
    const mend = await refuse(kafka.server, setup, 2);
    await setup.send(frame(batch(2)), frame(batch(2, { maybe_duplicate: true })));
    await setup.once();
    await mend();
    const [first, second] = await list(setup);
    for (const letter of [second, first]) {
      const ended = await dlq(setup, 'retry', letter?.id ?? '');
      assert.equal(ended.code, 0, ended.stdout + ended.stderr);
    }
    assert.deepEqual(await setup.counts(), { n: 2 * ROWS, u: 2 * ROWS, b: 2 });
    assert.deepEqual(await list(setup), []);
  });

  test('what does not decode is shown as far as it goes with the bytes around the damage, and is discarded with a trace', async () => {
    const setup = await setUp();
    const torn = Buffer.from(frame(batch(2))).subarray(0, -150);
    await setup.send(frame(batch(1)), torn, Buffer.from('{"no":"avro"}'), frame(batch(3)));
    await setup.once();
    const letters = (await list(setup)).toSorted((a, b) => a.origin_offset - b.origin_offset);
    const [broken, foreign] = letters;
    assert.ok(broken && foreign);
    assert.deepEqual(
      letters.map(({ reason }) => reason),
      ['DECODE_TRUNCATED', 'FRAME_UNKNOWN'],
    );
    assert.deepEqual(
      letters.map(({ host_id }) => host_id),
      [HOST, ''],
    );
    const shown = await dlq(setup, 'show', broken.id);
    assert.match(shown.stdout, /decodes +the head and [1-9] events, then: batch ends early at byte \d+/);
    assert.match(shown.stdout, new RegExp(`the end of ${torn.length} bytes\n$`));
    const other = await dlq(setup, 'show', foreign.id);
    assert.match(other.stdout, /00000000 \[7b\] 22 .* \{"no":"avro"\}\n/);

    const retried = await dlq(setup, 'retry', '--all');
    assert.equal(retried.code, 1);
    assert.match(retried.stdout, /0 of 2 letters stored/);

    const unasked = await dlq(setup, 'discard', broken.id, '--why', 'torn by a test');
    assert.equal(unasked.code, 2);
    assert.ok(isOneSentence(unasked.stderr), unasked.stderr);
    const ended = await dlq(setup, 'discard', broken.id, '--why', 'torn by a test', '--yes');
    assert.equal(ended.code, 0, ended.stderr);
    assert.deepEqual(
      await setup.rows(
        "SELECT origin_offset, outcome, why, decided_by LIKE '%@%' AS who, decided_ts > now() - 600 AS lately FROM {db}.tcp_parked_outcomes",
      ),
      [{ origin_offset: 1, outcome: 'discarded', why: 'torn by a test', who: 1, lately: 1 }],
    );
    assert.deepEqual(
      (await list(setup)).map(({ id }) => id),
      [foreign.id],
    );
    assert.deepEqual(await verdict(setup), {
      ...COMPLETE,
      verdict: 'discarded',
      missing: ROWS,
      discarded: ROWS,
    });
  });

  test('a letter that its consumer has yet to pass is left to it, and one that is not there is named', async () => {
    const { setup, mend } = await parkedOne();
    await mend();
    await kafka.admin.setOffsets({
      groupId: setup.group,
      topic: setup.topic,
      partitions: [{ partition: 0, offset: '1' }],
    });
    const ended = await dlq(setup, 'retry', '--all');
    assert.equal(ended.code, 1);
    assert.match(ended.stdout, /the consumer has yet to pass it/);
    assert.equal((await setup.counts()).b, 2);
    const none = await dlq(setup, 'show', '0-99');
    assert.equal(none.code, 2);
    assert.match(none.stderr, /there is no letter 0-99 in topic/);
  });

  test('a message that somebody else put on the topic is listed, never stored, and can be discarded', async () => {
    const { setup } = await parkedOne();
    for (const seq of [8, 9])
      await kafka.producer.send({ topic: setup.deadLetter, messages: [{ value: frame(batch(seq)) }] });
    const foreign = (await list(setup)).filter(({ reason }) => reason === 'ORIGIN_UNKNOWN');
    assert.equal(foreign.length, 2);
    const [first, second] = foreign.map(({ id }) => id);
    const retried = await dlq(setup, 'retry', first ?? '');
    assert.equal(retried.code, 1);
    assert.match(retried.stdout, /it names no origin/);
    assert.equal((await setup.counts()).b, 2);
    const ended = await dlq(setup, 'discard', first ?? '', '--why', 'not ours', '--yes');
    assert.equal(ended.code, 0, ended.stderr);
    const left = (await list(setup)).filter(({ reason }) => reason === 'ORIGIN_UNKNOWN');
    assert.deepEqual(
      left.map(({ id }) => id),
      [second],
    );
  });

  test('the set-aside of a spool goes the same ways', async () => {
    const setup = setUpSpool(kafka.server);
    setup.spool.datum(batch(1, { agent_epoch: setup.spool.agentEpoch }));
    await setup.once();
    const mend = await refuse(kafka.server, setup, 2);
    setup.spool.datum(batch(2, { agent_epoch: setup.spool.agentEpoch }));
    setup.spool.datum(batch(3, { agent_epoch: setup.spool.agentEpoch }).subarray(0, -50));
    setup.spool.datum(batch(4, { agent_epoch: setup.spool.agentEpoch }));
    await setup.once();
    await mend();
    const letters = await list(setup);
    assert.deepEqual(
      letters.map(({ reason }) => reason),
      ['STORE_ROWS_REFUSED', 'DECODE_TRUNCATED'],
    );
    const retried = await dlq(setup, 'retry', '--all');
    assert.equal(retried.code, 1);
    assert.match(retried.stdout, /1 of 2 letters stored/);
    const hold = (...args: readonly string[]) =>
      run(['hold', ...args, '--url', kafka.server.url, '--database', setup.database]);
    const tomorrow = new Date(NOW_US / 1000 + 86_400_000).toISOString().slice(0, 10);
    const why = ['--reason', 'a case', '--author', 'legal', '--until', tomorrow];
    const added = await hold('add', '--host', sampleEnvelope().host_name, ...why);
    const [, holdId = ''] = /^hold (\w+) binds/.exec(added.stdout) ?? [];
    const held = await dlq(setup, 'discard', '--all', '--yes', '--why', 'test');
    assert.equal(held.code, 1);
    assert.ok(isOneSentence(held.stderr), held.stderr);
    assert.match(
      held.stderr,
      new RegExp(
        `letter \\S+ is under a legal hold, so nothing was discarded: hold ${holdId} of legal until `,
      ),
    );
    assert.equal((await list(setup)).length, 1);
    assert.equal((await hold('end', holdId)).code, 0);
    const discarded = await dlq(setup, 'discard', '--all', '--yes', '--why', 'test');
    assert.equal(discarded.code, 0, discarded.stderr);
    assert.deepEqual(await list(setup, '--all'), []);
    for (const { id } of letters) assert.ok(!existsSync(join(setup.spool.path, 'set-aside', id)));
    assert.deepEqual(await verdict(setup), {
      ...COMPLETE,
      verdict: 'discarded',
      missing: ROWS,
      discarded: ROWS,
    });
  });
});
