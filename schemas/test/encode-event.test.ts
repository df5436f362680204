import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ENUMS } from '@tcptrail/schemas/enums.ts';
import { EVENT_FIELDS, type Field, OWNER_FIELDS } from '@tcptrail/schemas/fields.ts';
import { EVENT_BYTES_MAX, encodeEvent, isValidEvent } from '@tcptrail/schemas/generated/encode-event.ts';
import { RING, RING_EVENT_BYTES } from '@tcptrail/schemas/generated/ring.ts';
import { EVENT_TYPE, plain } from '../../test/avsc-oracle.ts';
import { createRandom } from '../../test/random.ts';
import { BOOT_US, type RandomEvent, randomEvent, wordsOf } from '../../test/random-event.ts';

const EVENTS = Number(process.env['TCPTRAIL_TEST_EVENTS'] ?? 20_000);

const ring = new ArrayBuffer(RING_EVENT_BYTES);
const record = new Uint8Array(ring);
const words = new Uint32Array(ring);
const out = new Uint8Array(2 * EVENT_BYTES_MAX);
const view = new DataView(out.buffer);

const NUMBERS = EVENT_TYPE.fields.filter(({ type }) => type.isValid(0)).map(({ name }) => name);

/** Ints and times are numbers for avsc, other longs bigint. */
function asWritten(event: RandomEvent['expected']): object {
  return { ...event, ...Object.fromEntries(NUMBERS.map((name) => [name, Number(event[name])])) };
}

/** The bytes of the generated encoder are those of avsc, and nothing stays behind of what it writes over. */
function assertAsAvsc(event: RandomEvent, what: string): void {
  record.set(event.ring);
  const end = encodeEvent(words, record, 0, view, 0, event.agent);
  const expected = EVENT_TYPE.toBuffer(asWritten(event.expected));
  if (expected.equals(out.subarray(0, end))) return;
  const read = EVENT_TYPE.fromBuffer(Buffer.from(out.subarray(0, end)), undefined, true);
  assert.deepEqual(plain(read), plain(event.expected), what);
  assert.fail(`${what}: other bytes that read the same`);
}

test(`the bytes of ${EVENTS} random events are those of avsc`, () => {
  const random = createRandom(20260101);
  for (let index = 0; index < EVENTS; index++) assertAsAvsc(randomEvent(random, 3), `event ${index}`);
});

/** Every length of a varint from both sides, and the ends of the type. */
function extremesOf(bits: number): bigint[] {
  const values = [0n, 1n];
  for (let power = 6; power <= bits; power++) values.push(2n ** BigInt(power) - 1n, 2n ** BigInt(power));
  return [...new Set(values)].filter((value) => value < 2n ** BigInt(bits));
}

interface Extreme {
  /** As the ring or the agent has it. */
  readonly given: bigint | Uint8Array | number[];
  readonly read: unknown;
}

function extremesIn({ type }: Field): Extreme[] {
  if (typeof type === 'object')
    return ENUMS[type.enum].map((symbol, index) => ({ given: BigInt(index), read: symbol }));
  const text = (bytes: number): Extreme => ({
    given: Buffer.alloc(bytes, 'x'),
    read: 'x'.repeat(bytes),
  });
  const number = (bits: number): Extreme[] => extremesOf(bits).map((given) => ({ given, read: given }));
  switch (type) {
    case 'bool':
      return [0n, 1n].map((given) => ({ given, read: given === 1n }));
    case 'u8':
      return number(8);
    case 'u16':
      return number(16);
    case 'u32':
      return number(32);
    case 'owner':
      return number(31);
    case 'u64':
      return extremesOf(64).map((given) => ({ given, read: BigInt.asIntN(64, given) }));
    case 'time':
      return extremesOf(62).map((given) => ({
        given,
        read: given === 0n ? 0n : given / 1000n + BigInt(BOOT_US),
      }));
    case 'address':
      return [0, 0xff].map((byte) => ({ given: Buffer.alloc(16, byte), read: Buffer.alloc(16, byte) }));
    case 'name16':
      return [0, 1, 15, 16].map(text);
    case 'text':
      return [0, 1, 63, 64, 256].map(text);
    case 'u32[]':
      return [[], [0], [2 ** 32 - 1], new Array<number>(64).fill(2 ** 32 - 1)].map((given) => ({
        given,
        read: given.map(BigInt),
      }));
    default:
      throw new Error(`${String(type)} is no type of an event`);
  }
}

const BYTES: Readonly<Record<string, number>> = { u16: 2, u32: 4, u64: 8, time: 8, address: 16, name16: 16 };

function asAgents(type: Field['type'], given: Extreme['given']): unknown {
  if (typeof given === 'bigint') return type === 'bool' ? given === 1n : Number(given);
  return type === 'address' ? wordsOf(given as Uint8Array) : given;
}

function withValue(event: RandomEvent, { name, stage, type }: Field, { given, read }: Extreme): RandomEvent {
  const expected = { ...event.expected, [name]: read };
  if (stage === 'agent') {
    return { ...event, expected, agent: { ...event.agent, [name]: asAgents(type, given) } };
  }
  const changed = Uint8Array.from(event.ring);
  const at = RING[name as keyof typeof RING];
  const length = typeof type === 'object' ? 1 : (BYTES[type] ?? 1);
  for (let index = 0; index < length; index++) {
    changed[at + index] =
      typeof given === 'bigint'
        ? Number((given >> BigInt(8 * index)) & 0xffn)
        : Number((given as Uint8Array)[index] ?? 0);
  }
  return { ...event, expected, ring: changed };
}

test('every field at each of its extremes is as avsc has it, in an event of zeros and in a full one', () => {
  const random = createRandom(7);
  const fields = EVENT_FIELDS.filter(({ stage, ringOnly }) => stage !== 'consumer' && !ringOnly);
  let zeros = randomEvent(random, 1);
  let full = zeros;
  for (const field of fields) {
    const extremes = extremesIn(field);
    const [lowest, highest] = [extremes[0], extremes.at(-1)];
    assert.ok(lowest && highest && extremes.length > 1, field.name);
    zeros = withValue(zeros, field, lowest);
    full = withValue(full, field, highest);
  }
  for (const field of fields) {
    for (const extreme of extremesIn(field)) {
      assertAsAvsc(withValue(zeros, field, extreme), `${field.name} ${extreme.given} among zeros`);
      assertAsAvsc(withValue(full, field, extreme), `${field.name} ${extreme.given} in a full event`);
    }
  }
});

test('times of any year, before 1970 too, are as avsc has them', () => {
  const { expected, ...event } = randomEvent(createRandom(8), 1);
  const times = EVENT_FIELDS.filter(({ type }) => type === 'time');
  for (const offsetUs of [-(2 ** 52), -1_001, -1_000, -999, 0, 2 ** 48 - 1_001, 2 ** 48 - 1_000, 2 ** 52]) {
    for (const given of [1n, 1_000_000n, 2n ** 61n]) {
      const read = given / 1000n + BigInt(offsetUs);
      let changed: RandomEvent = {
        ...event,
        expected,
        agent: { ...event.agent, clock_offset_us: offsetUs },
      };
      for (const field of times) changed = withValue(changed, field, { given, read });
      assertAsAvsc(changed, `${given} ns and ${offsetUs} µs`);
    }
  }
});

test('a record is refused when one value is none of its type, whatever stands beside it', () => {
  const kernel = [...EVENT_FIELDS, ...OWNER_FIELDS].filter(({ stage }) => stage === 'kernel');
  let looked = 0;
  for (const fill of ['first', 'last'] as const) {
    record.fill(0);
    const bounded = kernel.flatMap(({ name, type, ringOnly }) => {
      const values = typeof type === 'object' ? ENUMS[type.enum].length : type === 'bool' ? 2 : 0;
      const at = RING[name as keyof typeof RING];
      if (values > 0 && fill === 'last') record[at] = values - 1;
      if (type === 'u8' && fill === 'last') record[at] = 0xff;
      return values > 0 && !ringOnly ? [{ name, at, values }] : [];
    });
    for (const { name, at, values } of bounded) {
      const before = record[at] ?? 0;
      for (let value = 0; value < 256; value++) {
        record[at] = value;
        assert.equal(isValidEvent(words, 0), value < values, `${name} ${value} beside the ${fill} values`);
        looked += 1;
      }
      record[at] = before;
    }
  }
  assert.ok(looked >= 2 * 256 * 10);
});
