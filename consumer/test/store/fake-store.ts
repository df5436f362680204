/** A store over a ClickHouse that is none, for what a real one does not do on demand. */
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
  batch_ts: DAY * 86_400e6,
  maybe_duplicate: false,
};
/** A ClickHouse that holds one row a message and table, takes each token once, and says what it was asked. */
function createFake() {
  const stored = new Map<string, Set<number>>([
    ['tcp_events', new Set()],
    ['tcp_batches', new Set()],
  ]);
  const asked: string[] = [];
  let next: number[] = [];
  let fault: (() => void) | undefined;
  const tokens = new Set<string>();
  let burns = 0;
  let told = (rows: number): number | undefined => rows;
  const clickhouse: ClickHouse = {
    url: 'fake',
    database: 'db',
    cluster: '',
    async query<T>(sql: string, params: Record<string, unknown> = {}) {
      const rows = (): unknown[] => {
        const span = (table: string) =>
          [...(stored.get(table) ?? [])].filter(
            (offset) => offset >= Number(params['first']) && offset <= Number(params['last']),
          );
        const left = (table: string) =>
          span(table).filter((at) => !(params['without'] as number[]).includes(at));
        if (sql.includes('system.processes')) return [{ n: 0 }];
        if (sql.includes('system.tables')) return [{ engine: 'MergeTree' }];
        if (sql.includes("' AS stored")) {
          return [...stored.keys()].map((table) => ({ stored: table, d: DAY, n: left(table).length }));
        }
        if (sql.includes('GROUP BY offset')) {
          return span(/db\.(\w+)/.exec(sql)?.[1] ?? '').map((offset) => ({ offset, d: DAY, n: 1 }));
        }
        if (sql.includes('NOT IN')) {
          return [{ n: left(/db\.(\w+)/.exec(sql)?.[1] ?? '').length }];
        }
        if (sql.includes('max(')) {
          return [...stored.values()].map((offsets) => {
            const from = [...offsets].filter((offset) => offset >= Number(params['from']));
            return { m: Math.max(...from), n: from.length };
          });
        }
        if (sql.includes('batch_part')) {
          return span('tcp_batches').map((offset) => ({ ...BATCH, batch_seq: offset, offset }));
        }
        throw new Error(`nobody asks ${sql}`);
      };
      const kinds = {
        'system.processes': 'running',
        'max(': 'maximum',
        batch_part: 'identities',
        'GROUP BY offset': 'messages',
        "' AS stored": 'totals',
        'NOT IN': 'count',
        'system.tables': 'engine',
      };
      asked.push(Object.entries(kinds).find(([part]) => sql.includes(part))?.[1] ?? '');
      return rows() as T[];
    },
    async statement() {},
    async insert({ query, settings }) {
      fault?.();
      const table = /db\.(\w+)/.exec(query)?.[1] ?? '';
      asked.push(`insert ${table}`);
      const token = `${table} ${settings.insert_deduplication_token}`;
      if (tokens.has(token)) return told(next.length);
      tokens.add(token);
      burns -= 1;
      if (burns >= 0) return undefined;
      for (const offset of next) stored.get(table)?.add(offset);
      return told(next.length);
    },
    async close() {},
  };
  return {
    clickhouse,
    stored,
    asked,
    /** The next so many INSERTs are logged, and their rows are not kept. */
    burn: (inserts: number) => (burns = inserts),
    /** What the answers to INSERTs say of their rows. */
    set told(value: typeof told) {
      told = value;
    },
    set fault(value: (() => void) | undefined) {
      fault = value;
    },
    decoder: {
      decode: (_: unknown, messages: StoreRange['messages']): StoreDecoded => ({
        batches: messages.map(({ offset }) => ({
          offset,
          envelope: { ...BATCH, batch_seq: offset },
          events: new Map([[DAY, 1]]),
          filedTs: BATCH.batch_ts,
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

export function setUp() {
  const fake = createFake();
  const metrics = createMetrics();
  const store = createStore(
    { triesMax: Number.POSITIVE_INFINITY },
    {
      clickhouse: fake.clickhouse,
      createDecoder: () => fake.decoder,
      log: pino({ level: 'silent' }),
      metrics,
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
  return { fake, store, range, metrics };
}

export function createLease() {
  const controller = new AbortController();
  const lost = failure('CONSUMER_PARTITION_LOST', 'lost');
  return {
    lose: () => controller.abort(lost),
    lease: { signal: controller.signal, assertHeld: () => controller.signal.throwIfAborted() },
  };
}
