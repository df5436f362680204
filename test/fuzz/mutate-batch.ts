/** Good batches, damaged at random. */
import { decodeEnvelope, encodeBatch } from '@tcptrail/schemas/batch.ts';
import { EVENT_BYTES_MAX, encodeEvent } from '@tcptrail/schemas/generated/encode-event.ts';
import { RING_EVENT_BYTES } from '@tcptrail/schemas/generated/ring.ts';
import type { Random } from '../random.ts';
import { BOOT_US, randomEvent } from '../random-event.ts';
import { SAMPLE_OWNER, sampleEnvelope } from '../sample-batch.ts';

export interface Model {
  readonly datum: Buffer;
  /** Where the count of the events stands, where the array of them ends, and the bytes of all of them. */
  readonly countAt: number;
  readonly endAt: number;
  readonly events: Buffer;
  readonly count: number;
}

const OWNERS = 3;
const DAY_US = 86_400e6;
const BYTES = [0x00, 0x01, 0x02, 0x7f, 0x80, 0xfe, 0xff];

/** A batch of up to four random events by the agent's encoder. */
export function modelBatch(random: Random): Model {
  const count = random.below(5);
  const out = new Uint8Array(4 * EVENT_BYTES_MAX);
  const view = new DataView(out.buffer);
  let position = 0;
  for (let index = 0; index < count; index++) {
    const { ring, agent } = randomEvent(random, OWNERS);
    const record = new ArrayBuffer(RING_EVENT_BYTES);
    new Uint8Array(record).set(ring);
    position = encodeEvent(new Uint32Array(record), new Uint8Array(record), 0, view, position, agent);
  }
  const owners = Array.from({ length: OWNERS }, (_, pid) => ({ ...SAMPLE_OWNER, pid }));
  const change = { batch_ts: BOOT_US + random.below(60) * DAY_US, maybe_duplicate: random.below(2) === 1 };
  const events = Buffer.from(out.subarray(0, position));
  const envelope = sampleEnvelope({ owners, ...change, ...(random.below(2) ? { health: null } : {}) });
  const datum = Buffer.from(encodeBatch(envelope, { bytes: events, count }));
  const { offset, end } = decodeEnvelope(datum).events;
  return { datum, countAt: offset, endAt: end, events, count };
}

/** Mostly no batch any more; sometimes another one, or the same in other bytes. */
export function mutate(random: Random, model: Model): Buffer {
  const { datum } = model;
  switch (random.below(12)) {
    case 0:
      return Buffer.from(datum);
    case 1:
      return datum.subarray(0, random.below(datum.length));
    case 2:
      return Buffer.from(Array.from({ length: random.below(200) }, () => random.below(256)));
    case 3:
      return splice(datum, random.below(datum.length), 0, randomBytes(random, 1 + random.below(8)));
    case 4:
      return splice(datum, random.below(datum.length), 1 + random.below(8), Buffer.alloc(0));
    case 5:
      // Whatever stands there: a length, a count, an index, a number.
      return splice(datum, random.below(datum.length), 1, anyVarint(random));
    case 6:
      return splice(datum, model.countAt, 1, anyVarint(random));
    case 7:
      return otherBlocks(random, model);
    case 8: {
      const from = random.below(datum.length);
      return splice(datum, random.below(datum.length), 0, datum.subarray(from, from + random.below(300)));
    }
    case 9: {
      const damaged = Buffer.from(datum);
      if (damaged.length === 0) return damaged;
      const at = random.below(damaged.length);
      damaged.fill(random.pick(BYTES), at, Math.min(damaged.length, at + 1 + random.below(16)));
      return damaged;
    }
    default: {
      const damaged = Buffer.from(datum);
      if (damaged.length === 0) return damaged;
      for (let flips = 1 + random.below(8); flips > 0; flips--) {
        const bit = random.below(8 * damaged.length);
        damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      }
      return damaged;
    }
  }
}

/** The same events in blocks that give their size, rightly or not. */
function otherBlocks(random: Random, { datum, countAt, endAt, events, count }: Model): Buffer {
  const after = datum.subarray(endAt);
  const size = random.below(2) ? events.length : Number(random.pick([0n, 1n, 2n ** 31n, 2n ** 52n]));
  const claimed = random.below(4) ? count : random.below(10);
  const block = claimed === 0 ? [] : [zigzag(BigInt(-claimed)), zigzag(BigInt(size)), events];
  return Buffer.concat([datum.subarray(0, countAt), ...block, zigzag(0n), after]);
}

/** Around the limits of every width, negative ones too, and encodings that are longer than needed or than allowed. */
function anyVarint(random: Random): Buffer {
  if (random.below(6) === 0) {
    return Buffer.from([...Array.from({ length: random.below(12) }, () => random.pick([0x80, 0xff])), 0]);
  }
  const width = BigInt(random.pick([0, 6, 7, 8, 13, 14, 16, 20, 31, 32, 33, 52, 53, 62, 63]));
  const value = 2n ** width + BigInt(random.below(5) - 2);
  return zigzag(BigInt.asIntN(64, random.below(3) === 0 ? -value : value));
}

function zigzag(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
}

function randomBytes(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random.below(256)));
}

function splice(bytes: Buffer, at: number, removed: number, added: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at + removed)]);
}
