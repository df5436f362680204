import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../test/random.ts';
import { inTableOrder } from '../src/table-order.ts';

interface Row {
  readonly host: number;
  readonly ts: number;
  readonly cookie: number;
  readonly generation: number;
}

const MINUTE_US = 60e6;

function columnsOf(rows: readonly Row[]) {
  const words = (of: (row: Row) => number) =>
    new Uint32Array(BigUint64Array.from(rows, (row) => BigInt(of(row))).buffer);
  return {
    ts: words(({ ts }) => ts),
    socket_cookie: words(({ cookie }) => cookie),
    generation: Uint32Array.from(rows, ({ generation }) => generation),
  };
}

function ordered(rows: readonly Row[]): readonly number[] {
  const all = Uint32Array.from(rows, (_, index) => index);
  return [...inTableOrder(columnsOf(rows), all, { hostOf: (row) => rows[row]?.host ?? 0, hosts: 3 })];
}

const compare = (a: Row, b: Row): number =>
  Math.floor(a.ts / (60 * MINUTE_US)) - Math.floor(b.ts / (60 * MINUTE_US)) ||
  a.host - b.host ||
  a.cookie - b.cookie ||
  a.generation - b.generation ||
  a.ts - b.ts;

test('rows are in the order of the key, whatever the order they came in', () => {
  const random = createRandom(1);
  for (let round = 0; round < 200; round++) {
    const rows = Array.from(
      { length: 1 + random.below(300) },
      (): Row => ({
        host: random.below(3),
        ts: 1_700_000_000e6 + random.below(240 * MINUTE_US),
        cookie: 2 ** 33 + random.below(60),
        generation: random.below(3),
      }),
    );
    const keys = ordered(rows).map((row) => rows[row]);
    assert.deepEqual(keys, rows.toSorted(compare));
  }
});

test('only the rows that are asked for are given', () => {
  const rows = [3, 1, 2, 0].map((cookie): Row => ({ host: 0, ts: 1, cookie, generation: 0 }));
  const order = inTableOrder(columnsOf(rows), Uint32Array.of(0, 1, 3), { hostOf: () => 0, hosts: 1 });
  assert.deepEqual([...order], [3, 1, 0]);
});

test('cookies that are too far apart stay as they came, and none is lost', () => {
  const rows = [2 ** 52, 5, 2 ** 51].map((cookie): Row => ({ host: 0, ts: 1, cookie, generation: 0 }));
  assert.deepEqual(ordered(rows), [0, 1, 2]);
  assert.deepEqual(ordered([]), []);
});
