import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createExclusion } from '../../src/reduce/exclusion.ts';
import { createFilter } from '../../src/reduce/filter.ts';
import { closeOf, SINCE_NS, type Values } from '../support/closes.ts';
import { createReducedBatches } from '../support/reduced-batches.ts';

/** Server processes of uid 33 are left out, those of uid 0 are told. */
const FILTERS = [{ name: 'workers', uids: [33] }];
const LONG = { duration_us: 5_000_000 };
const LEFT = { uid: 33 };
const TOLD = { uid: 0 };

/** What is told of the events, and how many are left out. */
function reduced(events: readonly Values[]): { readonly told: unknown[]; readonly leftOut: number } {
  const { append, close, reducer } = createReducedBatches({ fold: false, filters: FILTERS });
  append(...events.map((event, index) => ({ ...event, seq: index + 1 })));
  const told = close().map(({ kind }) => kind);
  return { told, leftOut: reducer.counts.totals.filtered };
}

test('a connection whose owner changes is told whole', () => {
  const events = [
    { kind: 'open', ...TOLD },
    { kind: 'update', ...LEFT },
    { kind: 'close', ...LEFT, ...LONG },
  ];
  assert.deepEqual(reduced(events), { told: ['open', 'update', 'close'], leftOut: 0 });
});

test('or left out whole', () => {
  const events = [
    { kind: 'open', ...LEFT },
    { kind: 'update', ...TOLD },
    { kind: 'close', ...TOLD, ...LONG },
  ];
  assert.deepEqual(reduced(events), { told: [], leftOut: 3 });
});

test('a retransmission decides too, before a short end and, out of the other ring, after it', () => {
  const retransmit = { kind: 'retransmit', total_retrans: 1 };
  const end = { kind: 'close', total_retrans: 1 };
  assert.deepEqual(
    reduced([
      { ...retransmit, ...TOLD },
      { ...end, ...LEFT },
    ]).told,
    ['retransmit', 'close'],
  );
  assert.deepEqual(
    reduced([
      { ...end, ...LEFT },
      { ...retransmit, ...TOLD },
    ]).told,
    [],
  );
  const failed = { ...end, kind: 'fail' };
  assert.deepEqual(
    reduced([
      { ...retransmit, ...TOLD },
      { ...failed, ...LEFT },
    ]).told,
    ['retransmit', 'fail'],
  );
});

test('each connection of a socket is decided by itself, and a handshake decides nothing', () => {
  const first = [
    { kind: 'open', generation: 0, ...LEFT },
    { kind: 'open', generation: 1, ...TOLD },
    { kind: 'close', generation: 1, ...LEFT, ...LONG },
    { kind: 'close', generation: 0, ...TOLD, ...LONG },
  ];
  assert.deepEqual(reduced(first), { told: ['open', 'close'], leftOut: 2 });
  const handshake = { kind: 'retransmit', state: 'new_syn_received', ...TOLD };
  assert.deepEqual(reduced([handshake, { kind: 'close', ...LEFT, ...LONG }]), {
    told: ['retransmit'],
    leftOut: 1,
  });
});

test('a filter that comes later leaves the ends of older connections: something may have been told', () => {
  const { append, close, reducer } = createReducedBatches({ fold: false });
  reducer.setFilter(createFilter([{ name: 'all', ports: [443] }]), SINCE_NS + 500n);
  const ages = [SINCE_NS + 499n, SINCE_NS + 500n];
  append(
    ...ages.flatMap((start_ts, index) =>
      ['close', 'update', 'fail'].map((kind, place) => ({ kind, start_ts, seq: 10 * index + place + 1 })),
    ),
  );
  assert.deepEqual(
    close().map(({ kind, seq }) => [kind, seq]),
    [
      ['close', 1],
      ['fail', 3],
    ],
  );
});

test('what is forgotten is told at its end, whatever was decided', () => {
  let nowNs = SINCE_NS;
  const exclusion = createExclusion(
    { filter: createFilter(FILTERS), sinceNs: 0, openHoldMs: 1_000, connectionsMax: 2 },
    { cgroupPathOf: () => '', boottimeNs: () => nowNs },
  );
  const isLeftOut = (values: Values): boolean => {
    const { words, bytes, at } = closeOf(values);
    return exclusion.ruleOf(words, bytes, at) === 0;
  };
  const open = (socket_cookie: number, owner: Values): void => {
    nowNs += 100n;
    isLeftOut({ kind: 'open', socket_cookie, start_ts: nowNs - 1n, ...owner });
  };
  const ends = (socket_cookie: number, start_ts: bigint, owner: Values): boolean =>
    isLeftOut({ socket_cookie, start_ts, ...LONG, ...owner });
  open(1, TOLD);
  open(2, LEFT);
  open(3, LEFT);
  open(4, LEFT);
  assert.equal(ends(2, SINCE_NS + 199n, TOLD), true, 'remembered');
  open(5, LEFT);
  open(6, LEFT);
  open(7, LEFT);
  assert.equal(ends(1, SINCE_NS + 99n, LEFT), false, 'forgotten, and its open was told');
  assert.equal(ends(7, nowNs - 1n, TOLD), true, 'still remembered');
});

test('another openHoldMs: what may have been told by the one before has its end told', () => {
  const { append, close, reducer, config } = createReducedBatches({
    fold: false,
    filters: FILTERS,
    openHoldMs: 1,
    boottimeNs: () => SINCE_NS + 2_000_000_000n,
  });
  append({ kind: 'open', seq: 1, ...TOLD });
  reducer.configure({ ...config, openHoldMs: 1_000 });
  append({ kind: 'close', seq: 2, ...LEFT });
  assert.deepEqual(
    close().map(({ kind }) => kind),
    ['open', 'close'],
  );
});
