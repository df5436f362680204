import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failure } from '../../src/errors.ts';
import { createLease, setUp } from './fake-store.ts';

const LOST = { code: 'CONSUMER_PARTITION_LOST' };

test('what follows is inserted without asking, until a range is the first again', async () => {
  const { fake, store, range } = setUp();
  await store.store(range([1], { isFirst: true }));
  assert.deepEqual(fake.asked.splice(0), [
    'running',
    'running',
    'running',
    'maximum',
    'insert tcp_events',
    'insert tcp_batches',
    'totals',
  ]);
  await store.store(range([2]));
  assert.deepEqual(fake.asked.splice(0), ['insert tcp_events', 'insert tcp_batches', 'totals']);
  // Another consumer stored 3 meanwhile.
  for (const offsets of fake.stored.values()) offsets.add(3);
  await store.store(range([3, 4], { isFirst: true }));
  assert.ok(fake.asked.includes('messages'));
  assert.deepEqual([...(fake.stored.get('tcp_events') ?? [])], [1, 2, 3, 4]);
});

test('a range whose lease is lost before its INSERT is not inserted', async () => {
  const { fake, store, range } = setUp();
  const { lease, lose } = createLease();
  lose();
  await assert.rejects(store.store(range([1], { lease, isFirst: true })), LOST);
  assert.deepEqual(
    fake.asked.filter((what) => what.startsWith('insert')),
    [],
  );
});

test('a lease that is lost while ClickHouse is down ends the waiting with that, not with ClickHouse', async () => {
  const { fake, store, range } = setUp();
  const { lease, lose } = createLease();
  let tries = 0;
  fake.fault = () => {
    tries += 1;
    if (tries === 2) queueMicrotask(lose);
    throw failure('CLICKHOUSE_UNREACHABLE', 'down');
  };
  await assert.rejects(store.store(range([1], { lease, isFirst: true })), LOST);
  assert.equal(tries, 2);
});

test('a message that is another batch than the table has from its place stops the storing', async () => {
  const { fake, store, range } = setUp();
  await store.store(range([1], { isFirst: true }));
  const anew = range([1], { isFirst: true });
  const other = fake.decoder.decode;
  fake.decoder.decode = (place, messages) => {
    const decoded = other(place, messages);
    return {
      ...decoded,
      batches: decoded.batches.map((batch) => ({
        ...batch,
        envelope: { ...batch.envelope, agent_epoch: 2 },
      })),
    };
  };
  await assert.rejects(store.store(anew), { code: 'STORE_LEDGER', message: /was made anew/ });
});
