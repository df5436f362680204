/** Good ring records, damaged at random. */
import { RING, RING_EVENT_BYTES } from '@tcptrail/schemas/generated/ring.ts';
import type { Random } from '../../../test/random.ts';

export interface Mutant {
  /** First word of the record's header: its length and two flags. */
  readonly header: number;
  readonly record: Buffer;
}

const BUSY = 0x8000_0000;
const DISCARDED = 0x4000_0000;
const BYTES = [0x00, 0x01, 0x7f, 0x80, 0xff];
const MEMBERS = Object.values(RING);

/** At least one bit of header or record is not as it was. A record never seems to be still written: that is no damage. */
export function mutate(random: Random, record: Buffer): Mutant {
  const kind = random.below(16);
  if (kind === 0) return { header: damagedHeader(random), record };
  const before = Buffer.from(record);
  do {
    if (kind < 6) flipBits(random, record, 1 + random.below(8));
    else if (kind < 11) record[random.pick(MEMBERS)] = random.below(256);
    else if (kind < 15) overwrite(random, record, 1 + random.below(16));
    else overwrite(random, record, RING_EVENT_BYTES);
  } while (record.equals(before));
  return { header: RING_EVENT_BYTES, record };
}

function damagedHeader(random: Random): number {
  const whole = random.below(2) * 0xffff * 0x1_0000 + random.below(0x1_0000);
  const header = random.pick([
    0,
    random.below(RING_EVENT_BYTES),
    RING_EVENT_BYTES + 1 + random.below(64),
    (RING_EVENT_BYTES ^ (1 << random.below(30))) >>> 0,
    RING_EVENT_BYTES | DISCARDED,
    whole,
  ]);
  return (header & ~BUSY) >>> 0;
}

function flipBits(random: Random, record: Buffer, count: number): void {
  for (let flipped = 0; flipped < count; flipped++) {
    const bit = random.below(RING_EVENT_BYTES * 8);
    record[bit >> 3] = (record[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  }
}

function overwrite(random: Random, record: Buffer, length: number): void {
  const at = random.below(RING_EVENT_BYTES - length + 1);
  const fixed = random.below(2) === 0 ? random.pick(BYTES) : undefined;
  for (let i = 0; i < length; i++) record[at + i] = fixed ?? random.below(256);
}
