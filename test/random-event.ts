/** Random ring records and what their Avro form must say, for differential tests. */
import { ENUMS } from '@tcptrail/schemas/enums.ts';
import { avroFields, EVENT_FIELDS, type Field, OWNER_FIELDS } from '@tcptrail/schemas/fields.ts';
import type { AgentFields } from '@tcptrail/schemas/generated/encode-event.ts';
import { RING, RING_EVENT_BYTES } from '@tcptrail/schemas/generated/ring.ts';
import type { Random } from './random.ts';

/** UTC of the machine's boot in these tests, µs. */
export const BOOT_US = 1_790_000_000_000_000;

/** An address as the agent has it. */
export const wordsOf = (address: Uint8Array): Uint32Array => new Uint32Array(Uint8Array.from(address).buffer);

/** 0, small, and every length of varint, in equal parts. */
function number(random: Random, bits: number): bigint {
  const width = random.below(bits + 1);
  const word = (): bigint => BigInt(random.below(2 ** 32));
  return BigInt.asUintN(width, (word() << 32n) | word());
}

function bits(field: Field): number {
  if (typeof field.type === 'object') return 0;
  return { u8: 8, u16: 16, u32: 32, u64: 63, time: 52 }[field.type as string] ?? 0;
}

export interface RandomEvent {
  readonly ring: Uint8Array;
  readonly agent: AgentFields;
  /** Field of the Avro event → value as avsc's decoder gives it (64-bit values as bigint). */
  readonly expected: Readonly<Record<string, unknown>>;
}

export function randomEvent(random: Random, owners: number): RandomEvent {
  const ring = Buffer.alloc(RING_EVENT_BYTES);
  const agent: Record<string, unknown> = { clock_offset_us: BOOT_US };
  const expected: Record<string, unknown> = {};
  for (const field of [...EVENT_FIELDS, ...OWNER_FIELDS.filter((owner) => owner.stage === 'kernel')]) {
    expected[field.name] =
      field.stage === 'kernel' ? kernelValue(random, field, ring) : agentValue(random, field, agent, owners);
  }
  const names = new Set(avroFields(EVENT_FIELDS).map((field) => field.name));
  return {
    ring,
    agent: agent as unknown as AgentFields,
    expected: Object.fromEntries(Object.entries(expected).filter(([name]) => names.has(name))),
  };
}

function kernelValue(random: Random, field: Field, ring: Buffer): unknown {
  const at = RING[field.name as keyof typeof RING];
  if (typeof field.type === 'object') {
    const symbols = ENUMS[field.type.enum];
    const index = random.below(symbols.length);
    ring[at] = index;
    return symbols[index];
  }
  switch (field.type) {
    case 'bool':
      ring[at] = random.below(2);
      return ring[at] === 1;
    case 'address':
      for (let i = 0; i < 16; i++) ring[at + i] = random.below(256);
      return Buffer.from(ring.subarray(at, at + 16));
    case 'name16': {
      const name = random.pick(['', 'curl', 'nginx: worker', 'sixteen-bytes-ab']);
      ring.write(name, at, 'latin1');
      return name;
    }
    default: {
      const value = number(random, bits(field));
      const width = { u8: 1, u16: 2, u32: 4, u64: 8, time: 8 }[field.type as string] ?? 0;
      for (let i = 0; i < width; i++) ring[at + i] = Number((value >> BigInt(8 * i)) & 0xffn);
      return field.type === 'time' && value > 0n ? value / 1000n + BigInt(BOOT_US) : value;
    }
  }
}

function agentValue(random: Random, field: Field, agent: Record<string, unknown>, owners: number): unknown {
  const set = (given: unknown, read: unknown): unknown => {
    agent[field.name] = given;
    return read;
  };
  if (typeof field.type === 'object') {
    const symbols = ENUMS[field.type.enum];
    const index = random.below(symbols.length);
    return set(index, symbols[index]);
  }
  switch (field.type) {
    case 'bool': {
      const value = random.below(2) === 1;
      return set(value, value);
    }
    case 'address': {
      const value = Buffer.from(Array.from({ length: 16 }, () => random.below(256)));
      return set(wordsOf(value), value);
    }
    case 'text': {
      const value = random.pick(['', 'db.example.org', 'größe', 'x'.repeat(200)]);
      return set(Buffer.from(value), value);
    }
    case 'u32[]': {
      const value = Array.from({ length: random.below(4) }, () => Number(number(random, 32)));
      return set(value, value.map(BigInt));
    }
    case 'owner': {
      const value = random.below(owners);
      return set(value, BigInt(value));
    }
    default: {
      const value = number(random, bits(field));
      return set(Number(value), value);
    }
  }
}
