import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { failure } from '../../src/errors.ts';
import { createMetrics } from '../../src/metrics.ts';
import type { ClickHouse } from '../../src/store/clickhouse.ts';
import type { StoreDecoded, StoreRange } from '../../src/store/range.ts';
import { createStore } from '../../src/store/store.ts';

const DAY = Math.floor(Date.now() / 86_400_000);
const BATCH = {
  host_id: 'h',
  boot_id: 'b',
  agent_epoch: 1,
  batch_part: 1,
  batch_ts: 0,
  maybe_duplicate: false,
};
const LOST = { code: 'CONSUMER_PARTITION_LOST' };

/** A ClickHouse that holds one row a message and table, and says what it was asked. */
function createFake() {
  const stored = new Map<string, Set<number>>([
    ['tcp_events', new Set()],
    ['tcp_batches', new Set()],
  ]);
  const asked: string[] = [];
  let next: number[] = [];
  let fault: (() => void) | undefined;
  const clickhouse: ClickHouse = {
    url: 'fake',
    database: 'db',
    async query<T>(sql: string, params: Record<string, unknown> = {}) {
      const rows = (): unknown[] => {
        const span = (table: string) =>
          [...(stored.get(table) ?? [])].filter(
            (offset) => offset >= Number(params['first']) && offset <= Number(params['last']),
          );
        if (sql.includes('system.processes')) return [{ n: 0 }];
        if (sql.includes('max(')) {
          return [...stored.values()].map((offsets) => {
            const from = [...offsets].filter((offset) => offset >= Number(params['from']));
            return { m: Math.max(...from), n: from.length };
          });
        }
        if (sql.includes('batch_part')) {
          return span('tcp_batches').map((offset) => ({ ...BATCH, batch_seq: offset, offset }));
        }
        if (sql.includes('GROUP BY offset')) {
          return span(/db\.(\w+)/.exec(sql)?.[1] ?? '').map((offset) => ({ offset, d: DAY, n: 1 }));
        }
        return [...stored.keys()].map((table) => ({ stored: table, d: DAY, n: span(table).length }));
      };
      const kinds = {
        'system.processes': 'running',
        'max(': 'maximum',
        batch_part: 'identities',
        'GROUP BY offset': 'messages',
      };
      asked.push(Object.entries(kinds).find(([part]) => sql.includes(part))?.[1] ?? 'totals');
      return rows() as T[];
    },
    async statement() {},
    async insert({ query }) {
      fault?.();
      const table = /db\.(\w+)/.exec(query)?.[1] ?? '';
      asked.push(`insert ${table}`);
      for (const offset of next) stored.get(table)?.add(offset);
    },
    async close() {},
  };
  return {
    clickhouse,
    stored,
    asked,
    set fault(value: (() => void) | undefined) {
      fault = value;
    },
    decoder: {
      decode: (_: unknown, messages: StoreRange['messages']): StoreDecoded => ({
        batches: messages.map(({ offset }) => ({
          offset,
          envelope: { ...BATCH, batch_seq: offset },
          events: new Map([[DAY, 1]]),
          batchDay: DAY,
        })),
        refused: [],
        events(offsets) {
          next = [...offsets];
          return new Uint8Array(1);
        },
        batchLines(offsets) {
          next = [...offsets];
          return new Uint8Array(1);
        },
      }),
    },
  };
}

function setUp() {
  const fake = createFake();
  const store = createStore(
    { triesMax: Number.POSITIVE_INFINITY },
    {
      clickhouse: fake.clickhouse,
      createDecoder: () => fake.decoder,
      log: pino({ level: 'silent' }),
      metrics: createMetrics(),
    },
  );
  const range = (offsets: readonly number[], change: Partial<StoreRange> = {}): StoreRange => ({
    origin: 't',
    originPartition: 0,
    messages: offsets.map((offset) => ({
      offset,
      datum: new Uint8Array(),
      identity: { hostId: 'h', agentEpoch: 1, batchSeq: offset },
    })),
    parked: [],
    ...change,
  });
  return { fake, store, range };
}

function createLease() {
  const controller = new AbortController();
  const lost = failure('CONSUMER_PARTITION_LOST', 'lost');
  return {
    lose: () => controller.abort(lost),
    lease: { signal: controller.signal, assertHeld: () => controller.signal.throwIfAborted() },
  };
}

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
