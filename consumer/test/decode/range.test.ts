import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AVRO_OWNER_FIELDS, avroFields, BATCH_FIELDS, EVENT_FIELDS } from '@tcptrail/schemas/fields.ts';
import { BATCH_TYPE, plain } from '../../../test/avsc-oracle.ts';
import { modelBatch } from '../../../test/fuzz/mutate-batch.ts';
import { readNativeBlock } from '../../../test/native-reader.ts';
import { createRandom, type Random } from '../../../test/random.ts';
import { blockRow, storedRows } from '../../../test/stored-rows.ts';
import { createRangeDecoder, createRangeDecoders } from '../../src/decode/range.ts';

const PLACE = { origin: 'topic@cluster', originPartition: 3 };
const MAX: Readonly<Record<string, bigint>> = {
  u8: 2n ** 8n - 1n,
  u16: 2n ** 16n - 1n,
  u32: 2n ** 32n - 1n,
  u64: 2n ** 63n - 1n,
  // What avsc writes at most; one more is the column's last.
  time: 2n ** 53n - 2n,
};
/** What avsc can write of an Avro int. */
const INTS = new Set(['u8', 'u16']);
/** Numbers of the envelope are safe integers. */
const ENVELOPE_MAX = { ...MAX, u64: 2n ** 53n - 1n };

type Batch = Record<string, unknown> & {
  events: Record<string, unknown>[];
  owners: Record<string, unknown>[];
};

/** A batch with events, as avsc reads it: to be changed and written again. */
function aBatch(random: Random): Batch {
  for (;;) {
    const model = modelBatch(random);
    if (model.count > 0) return BATCH_TYPE.fromBuffer(model.datum) as Batch;
  }
}

const numbersOf = <T extends { name: string; type: unknown }>(fields: readonly T[]) =>
  fields.flatMap(({ name, type }) => (typeof type === 'string' && type in MAX ? [{ name, type }] : []));

/** Values that a column of that type cannot hold, and Avro can. */
function wrongValues(random: Random, type: string, max: bigint): bigint[] {
  const widest = INTS.has(type) ? 2n ** 31n - 1n : 2n ** 63n - 1n;
  const below = -1n - BigInt(random.below(2 ** 31));
  // Beyond 2^53 avsc writes none.
  if (type === 'time') return [-1n, below];
  if (max >= widest) return [-1n, below, -widest - 1n];
  const beyond = max + 1n + BigInt(random.below(1000));
  return [-1n, below, -widest - 1n, max + 1n, beyond > widest ? widest : beyond, widest];
}

function written(batch: Batch): Buffer {
  return BATCH_TYPE.toBuffer(batch);
}

/** As avsc takes them: Avro ints and times are numbers, other longs bigint. */
const avroNumber = (type: string, value: bigint): number | bigint =>
  INTS.has(type) || type === 'time' ? Number(value) : value;

function assertOnlyRefused(good: Buffer, bad: Buffer, what: string): void {
  const decoder = createRangeDecoder();
  const messages = [good, bad, good].map((datum, offset) => ({ offset, datum }));
  const decoded = decoder.decode(PLACE, messages);
  assert.deepEqual(
    decoded.refused.map(({ offset, error }) => [offset, error.code]),
    [[1, 'DECODE_RANGE']],
    what,
  );
  const { rows } = storedRows(good);
  assert.deepEqual(storedOf(decoded), [...rows, ...rows].toSorted(), what);
}

/** Every row of the range's blocks. */
function storedOf(decoded: ReturnType<ReturnType<typeof createRangeDecoder>['decode']>): string[] {
  const offsets = new Set(decoded.batches.map(({ offset }) => offset));
  const days = new Set(decoded.batches.flatMap(({ events }) => [...events.keys()]));
  const rows = [...days].flatMap((day) => {
    const count = decoded.batches.reduce((sum, { events }) => sum + (events.get(day) ?? 0), 0);
    const block = decoded.events(offsets, day);
    assert.ok(block);
    const columns = readNativeBlock(block);
    return Array.from({ length: count }, (_, row) => blockRow(columns, row));
  });
  return rows.toSorted();
}

test('a number that its column of tcp_events cannot hold refuses its message alone', () => {
  const random = createRandom(1);
  const good = written(aBatch(random));
  const fields = numbersOf(avroFields(EVENT_FIELDS));
  assert.ok(fields.length > 60);
  for (const { name, type } of fields) {
    for (const value of wrongValues(random, type, MAX[type] ?? 0n)) {
      const batch = aBatch(random);
      random.pick(batch.events)[name] = avroNumber(type, value);
      assertOnlyRefused(good, written(batch), `${name} = ${value}`);
    }
  }
});

test('a number that its column of an owner cannot hold refuses its message alone', () => {
  const random = createRandom(2);
  const good = written(aBatch(random));
  for (const { name, type } of numbersOf(AVRO_OWNER_FIELDS)) {
    for (const value of wrongValues(random, type, ENVELOPE_MAX[type as keyof typeof ENVELOPE_MAX] ?? 0n)) {
      const batch = aBatch(random);
      random.pick(batch.owners)[name] = avroNumber(type, value);
      assertOnlyRefused(good, written(batch), `${name} = ${value}`);
    }
  }
});

test('a number that its column of tcp_batches cannot hold refuses its message alone', () => {
  const random = createRandom(3);
  const good = written(aBatch(random));
  for (const { name, type } of numbersOf(BATCH_FIELDS)) {
    for (const value of wrongValues(random, type, ENVELOPE_MAX[type as keyof typeof ENVELOPE_MAX] ?? 0n)) {
      const batch = aBatch(random);
      batch[name] = avroNumber(type, value);
      assertOnlyRefused(good, written(batch), `${name} = ${value}`);
    }
  }
});

test('an event of an owner that the batch does not have refuses the message', () => {
  const random = createRandom(4);
  const good = written(aBatch(random));
  for (const owner of [-1, 3, 4, 63, 64, 2 ** 31 - 1]) {
    const batch = aBatch(random);
    random.pick(batch.events)['owner'] = owner;
    assertOnlyRefused(good, written(batch), `owner ${owner}`);
  }
});

test('the greatest and the smallest value of each column are stored as they are', () => {
  const random = createRandom(5);
  for (const which of ['greatest', 'smallest']) {
    const batch = aBatch(random);
    for (const event of batch.events) {
      for (const { name, type } of numbersOf(avroFields(EVENT_FIELDS))) {
        event[name] = avroNumber(type, which === 'greatest' ? (MAX[type] ?? 0n) : 0n);
      }
    }
    const datum = written(batch);
    const decoded = createRangeDecoder().decode(PLACE, [{ offset: 0, datum }]);
    assert.deepEqual(decoded.refused, []);
    assert.deepEqual(storedOf(decoded), storedRows(datum).rows.toSorted(), which);
  }
});

test('a batch beyond the days of a table is refused, one within them is not', () => {
  const random = createRandom(6);
  const lastDay = (2 ** 16 - 3) * 86_400e6;
  const good = written(aBatch(random));
  assertOnlyRefused(good, written({ ...aBatch(random), batch_ts: lastDay + 1 }), 'batch_ts');
  const decoded = createRangeDecoder().decode(PLACE, [
    { offset: 0, datum: written({ ...aBatch(random), batch_ts: lastDay }) },
  ]);
  assert.deepEqual(decoded.refused, []);
});

test('a batch of a wrong clock is filed under the day of the broker, wherever its own time lies', () => {
  const random = createRandom(11);
  const brokerTs = 1_790_000_000_000_000;
  const day = Math.floor(brokerTs / 86_400e6);
  for (const batchTs of [0, 978_307_200_000_000, 2_051_222_400_000_000, 2 ** 53 - 2]) {
    const batch = aBatch(random);
    for (const event of batch.events) event['ts'] = batchTs;
    const datum = written({ ...batch, batch_ts: batchTs });
    const decoded = createRangeDecoder().decode(PLACE, [{ offset: 0, datum, brokerTs }]);
    assert.deepEqual(storedOf(decoded), storedRows(datum, brokerTs).rows.toSorted());
    const [one] = decoded.batches;
    assert.deepEqual([one?.filedTs, one?.batchDay, [...(one?.events.keys() ?? [])]], [brokerTs, day, [day]]);
    const line = JSON.parse(Buffer.from(decoded.batchLines(new Set([0]), day)).toString());
    assert.equal(line.day, new Date(brokerTs / 1000).toISOString().slice(0, 10));
  }
});

test('a batch is filed by its own time up to two days from the broker, and where no broker tells', () => {
  const random = createRandom(12);
  const batchTs = 1_790_000_000_000_000;
  for (const brokerTs of [undefined, batchTs - 2 * 86_400e6, batchTs + 2 * 86_400e6]) {
    const datum = written({ ...aBatch(random), batch_ts: batchTs });
    const message = { offset: 0, datum, ...(brokerTs === undefined ? {} : { brokerTs }) };
    const decoded = createRangeDecoder().decode(PLACE, [message]);
    assert.equal(decoded.batches[0]?.filedTs, batchTs);
    assert.deepEqual(storedOf(decoded), storedRows(datum).rows.toSorted());
  }
});

test('a text that is not UTF-8 is refused wherever it stands', () => {
  const random = createRandom(7);
  const good = written(aBatch(random));
  const mark = 'markmarkmark';
  const places: ((batch: Batch) => void)[] = [
    (batch) => {
      random.pick(batch.events)['peer_name'] = mark;
    },
    (batch) => {
      random.pick(batch.owners)['executable'] = mark;
    },
    (batch) => {
      batch['host_name'] = mark;
    },
    (batch) => {
      batch['labels'] = { team: mark };
    },
  ];
  for (const [place, put] of places.entries()) {
    const batch = aBatch(random);
    put(batch);
    const datum = written(batch);
    datum[datum.indexOf(mark) + random.below(mark.length)] = 0xff;
    assertOnlyRefused(good, datum, `place ${place}`);
  }
});

test('a refused message leaves nothing in the blocks of others', () => {
  const random = createRandom(8);
  const good = written(aBatch(random));
  const batch = aBatch(random);
  for (const event of batch.events) event['peer_name'] = 'left-behind.example.org';
  (batch.events.at(-1) ?? {})['ts'] = -1;
  const decoder = createRangeDecoder();
  const decoded = decoder.decode(PLACE, [
    { offset: 0, datum: written(batch) },
    { offset: 1, datum: good },
  ]);
  const [first] = decoded.batches;
  assert.deepEqual(plain(first?.envelope), storedRows(good).envelope);
  const [day] = first?.events.keys() ?? [];
  assert.ok(
    !decoded
      .events(new Set([1]), day ?? 0)
      ?.toString()
      .includes('left-behind'),
  );
});

test('a count that claims more than the message holds takes no memory', () => {
  const { datum, countAt } = modelBatch(createRandom(9));
  for (const claimed of [2 ** 20, 2 ** 31, 2 ** 40]) {
    const bytes: number[] = [];
    for (let rest = claimed * 2; rest > 0; rest = Math.floor(rest / 128)) {
      bytes.push((rest % 128) | (rest > 127 ? 0x80 : 0));
    }
    const message = Buffer.concat([datum.subarray(0, countAt), Buffer.from(bytes), Buffer.alloc(10_000)]);
    const before = process.memoryUsage().arrayBuffers;
    const decoded = createRangeDecoder().decode(PLACE, [{ offset: 0, datum: message }]);
    assert.equal(decoded.refused.length, 1);
    assert.ok(process.memoryUsage().arrayBuffers - before < 16 * 1024 * 1024, `${claimed} events`);
  }
});

test('ranges that are stored at the same time take each other no rows', () => {
  const random = createRandom(10);
  const create = createRangeDecoders();
  const [one, other] = [create(), create()];
  const [a, b, c] = [written(aBatch(random)), written(aBatch(random)), written(aBatch(random))];
  const decode = (decoder: typeof one, ...data: readonly Buffer[]) =>
    decoder.decode(
      PLACE,
      data.map((datum, offset) => ({ offset, datum })),
    );
  const [first, second] = [decode(one, a, b), decode(other, c, a)];
  const rowsOf = (...data: readonly Buffer[]) => data.flatMap((datum) => storedRows(datum).rows).toSorted();
  const half = (decoded: typeof first) => ({ ...decoded, batches: decoded.batches.slice(0, 1) });
  for (let again = 0; again < 2; again++) {
    assert.deepEqual(storedOf(first), rowsOf(a, b));
    assert.deepEqual(storedOf(second), rowsOf(c, a));
    assert.deepEqual(storedOf(half(first)), rowsOf(a), 'those of one message alone');
    assert.deepEqual(storedOf(half(second)), rowsOf(c), 'of the same offset elsewhere');
  }
});
