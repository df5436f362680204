import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failure } from '../../src/errors.ts';
import type { StoreRange } from '../../src/store/range.ts';
import { createLease, setUp } from './fake-store.ts';

type Fence = NonNullable<StoreRange['fence']>;

/** What was noted last is what a next owner finds begun. */
function createFence(change: Partial<Fence> = {}): Fence & { readonly notes: string[] } {
  const notes: string[] = [];
  return {
    isKnown: true,
    notes,
    digest: () => 'digest',
    async note(intent) {
      notes.push(intent);
    },
    ...change,
  };
}

const inserts = (asked: readonly string[]) => asked.filter((what) => what.startsWith('insert'));
const offsets = (stored: ReadonlyMap<string, ReadonlySet<number>>) =>
  [...stored.values()].map((each) => [...each].toSorted((a, b) => a - b));

test('what is to be inserted is noted first, and where all that was begun is known nobody waits for others', async () => {
  const { fake, store, range } = setUp();
  const fence = createFence({
    async note() {
      assert.deepEqual(inserts(fake.asked), []);
      fake.asked.push('note');
    },
  });
  await store.store(range([1, 2], { isFirst: true, fence }));
  assert.deepEqual(fake.asked, ['maximum', 'note', 'insert tcp_events', 'insert tcp_batches']);
});

test('an answer that does not tell of all rows is not believed: they are counted', async () => {
  for (const told of [() => undefined, (rows: number) => rows - 1, (rows: number) => rows + 1]) {
    const { fake, store, range } = setUp();
    fake.told = told;
    await store.store(range([1, 2], { isFirst: true, fence: createFence() }));
    assert.equal(fake.asked.at(-1), 'totals');
  }
});

test('what is inserted beside rows that were there is counted, and what nobody fences', async () => {
  const { fake, store, range } = setUp();
  await store.store(range([1], { isFirst: true }));
  assert.equal(fake.asked.at(-1), 'totals', 'no fence');
  await store.store(range([1, 2], { isFirst: true, fence: createFence() }));
  assert.equal(fake.asked.at(-1), 'totals', 'message 1 was there');
});

test('two ranges of the same messages are noted under tokens of their own', async () => {
  const ids = new Set<string>();
  for (let again = 0; again < 2; again++) {
    const { store, range } = setUp();
    const fence = createFence();
    await store.store(range([1, 2], { isFirst: true, fence }));
    ids.add(JSON.parse(fence.notes[0] ?? '')[0]);
  }
  assert.equal(ids.size, 2);
});

test("a note that is refused leaves the table alone, and the error is the transport's", async () => {
  const { fake, store, range } = setUp();
  const refused = new Error('ILLEGAL_GENERATION');
  const fence = createFence({ note: async () => Promise.reject(refused) });
  await assert.rejects(store.store(range([1], { isFirst: true, fence })), refused);
  assert.deepEqual(inserts(fake.asked), []);
});

test('what another began is finished under its tokens: what it still sends comes to nothing', async () => {
  const { fake, store, range } = setUp();
  const first = createFence();
  const { lease, lose } = createLease();
  let isLate = true;
  fake.fault = () => {
    if (!isLate) return;
    lose();
    throw failure('CLICKHOUSE_UNREACHABLE', 'stopped before it was sent');
  };
  await assert.rejects(store.store(range([1, 2], { isFirst: true, fence: first, lease })));
  isLate = false;
  const [begun = ''] = first.notes;
  await store.store(range([1, 2], { isFirst: true, fence: createFence({ begun }) }));
  assert.deepEqual(offsets(fake.stored), [
    [1, 2],
    [1, 2],
  ]);
  for (const each of fake.stored.values()) each.clear();
  // The same INSERTs again, late.
  await assert.rejects(
    store.store(
      range([1, 2], {
        isFirst: true,
        fence: createFence({ begun, note: async () => Promise.reject(new Error('late')) }),
      }),
    ),
    /late/,
  );
  assert.deepEqual(offsets(fake.stored), [[], []], 'a token is taken once');
});

test('what another began and ended is not sent again', async () => {
  const { fake, store, range } = setUp();
  const first = createFence();
  await store.store(range([1, 2], { isFirst: true, fence: first }));
  fake.asked.splice(0);
  const [begun = ''] = first.notes;
  await store.store(range([1, 2], { isFirst: true, fence: createFence({ begun }) }));
  assert.deepEqual(fake.asked, ['count', 'count']);
});

test('a token that was logged without its rows is replaced by the next, which is noted before it is used', async () => {
  const { fake, store, range, metrics } = setUp();
  const fence = createFence();
  fake.burn(1);
  await store.store(range([1, 2], { isFirst: true, fence }));
  assert.deepEqual(offsets(fake.stored), [
    [1, 2],
    [1, 2],
  ]);
  assert.equal(fence.notes.length, 2);
  assert.deepEqual(
    fence.notes.map((note) => JSON.parse(note)[1][3]),
    [0, 1],
  );
  assert.equal((await metrics.burnedTokens.get()).values[0]?.value, 1);
});

test('tokens that never bring their rows stop the partition', async () => {
  const { fake, store, range } = setUp();
  fake.burn(1_000);
  await assert.rejects(store.store(range([1], { isFirst: true, fence: createFence() })), {
    code: 'STORE_LEDGER',
    message: /does not keep rows/,
  });
});

test('an INSERT without an answer is asked for, then sent again under its token', async () => {
  const { fake, store, range } = setUp();
  let isCut = true;
  fake.fault = () => {
    if (!isCut) return;
    isCut = false;
    throw failure('CLICKHOUSE_UNREACHABLE', 'cut');
  };
  const fence = createFence();
  await store.store(range([1], { isFirst: true, fence }));
  assert.equal(fence.notes.length, 1);
  assert.deepEqual(fake.asked, [
    'maximum',
    'count',
    'insert tcp_events',
    'count',
    'count',
    'insert tcp_batches',
    'count',
  ]);
});

test('messages that are not those that were begun stop the partition', async () => {
  const { store, range } = setUp();
  const first = createFence();
  await store.store(range([1, 2], { isFirst: true, fence: first }));
  const [begun = ''] = first.notes;
  const fence = createFence({ begun, digest: () => 'another' });
  await assert.rejects(store.store(range([1, 3], { isFirst: true, fence })), {
    code: 'STORE_LEDGER',
    message: /are not those that were begun/,
  });
});

test('a note of another version is asked of the ledger by message, once nothing runs', async () => {
  const { fake, store, range } = setUp();
  await store.store(range([1], { isFirst: true, fence: createFence() }));
  fake.asked.splice(0);
  const fence = createFence({ begun: '{"of":"another version"}', isKnown: false });
  await store.store(range([1, 2], { isFirst: true, fence }));
  assert.deepEqual(fake.asked.slice(0, 4), ['running', 'running', 'running', 'maximum']);
  assert.ok(fake.asked.includes('messages'));
  assert.deepEqual(offsets(fake.stored), [
    [1, 2],
    [1, 2],
  ]);
  assert.deepEqual(JSON.parse(fence.notes[0] ?? '')[1].slice(4), [1], 'message 1 stays out');
});

/** As a consumer parks it that does not know its schema. */
const unread = (originOffset: number) => ({
  origin: 't',
  originPartition: 0,
  originOffset,
  identity: { hostId: '', agentEpoch: 0, batchSeq: 0 },
  reason: 'SCHEMA_UNKNOWN',
  detail: '',
});

for (const newer of [1, 2, 3]) {
  const older = [1, 2, 3].filter((offset) => offset !== newer);
  test(`message ${newer} of 3, which the one who began could not read, is stored beside what it began`, async () => {
    const { fake, store, range } = setUp();
    const first = createFence();
    const { lease, lose } = createLease();
    const parked = [unread(newer)];
    fake.fault = () => {
      lose();
      throw failure('CLICKHOUSE_UNREACHABLE', 'stopped before it was sent');
    };
    await assert.rejects(store.store(range(older, { isFirst: true, fence: first, lease, parked })));
    fake.fault = undefined;
    const [begun = ''] = first.notes;
    const fence = createFence({ begun });
    await store.store(range([1, 2, 3], { isFirst: true, fence }));
    assert.deepEqual(offsets(fake.stored), [
      [1, 2, 3],
      [1, 2, 3],
    ]);
    // What the first still sends.
    fake.asked.splice(0);
    for (const each of fake.stored.values()) for (const offset of older) each.delete(offset);
    await assert.rejects(
      store.store(
        range(older, {
          isFirst: true,
          parked,
          fence: createFence({ begun, note: async () => Promise.reject(new Error('late')) }),
        }),
      ),
      /late/,
    );
    assert.deepEqual(offsets(fake.stored), [[newer], [newer]], 'its token was taken');
  });
}

test('one that cannot read what is stored already of a range parks it, and counts the others alone', async () => {
  const { fake, store, range } = setUp();
  const first = createFence();
  await store.store(range([1, 2, 3], { isFirst: true, fence: first }));
  fake.asked.splice(0);
  const [begun = ''] = first.notes;
  const parked = [unread(2)];
  await store.store(range([1, 3], { isFirst: true, fence: createFence({ begun }), parked }));
  assert.equal(fake.asked[0], 'running', 'another INSERT may be under way');
  assert.deepEqual(inserts(fake.asked), ['insert tcp_parked']);
});

test('rows that are refused once, as where a proxy cut their body short, are sent again; twice, and they are to blame', async () => {
  const { fake, store, range } = setUp();
  let refusals = 1;
  fake.fault = () => {
    if (refusals-- > 0) throw failure('CLICKHOUSE_ROWS_REFUSED', 'cannot read all data');
  };
  assert.deepEqual(await store.store(range([1], { isFirst: true })), []);
  assert.deepEqual([...(fake.stored.get('tcp_events') ?? [])], [1]);
  refusals = 2;
  await assert.rejects(store.store(range([2, 3], { fence: createFence() })), { code: 'STORE_ROWS_REFUSED' });
});
