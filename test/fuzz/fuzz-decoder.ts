/** Mutated batches through the consumer's decoder, what it stores compared with what avsc reads. */
import assert from 'node:assert/strict';
import { createRangeDecoder } from '@tcptrail/consumer/decode/range.ts';
import { plain } from '../avsc-oracle.ts';
import { readNativeBlock } from '../native-reader.ts';
import { createRandom } from '../random.ts';
import { blockRow, storedRows } from '../stored-rows.ts';
import { type Model, modelBatch, mutate } from './mutate-batch.ts';

export interface Fuzzed {
  readonly messages: number;
  readonly stored: number;
  readonly parked: number;
  readonly rows: number;
}

const RANGE = 50;
const MODELS = 500;
const PLACE = { origin: 'fuzz', originPartition: 0 };

/**
 * Throws at the first message that is neither stored nor refused with a code, or is stored otherwise than avsc reads
 * it; the error holds the message's bytes. `onRange` is told after each range.
 */
export function fuzzDecoder(
  options: { readonly messages: number; readonly seed: number },
  onRange: (fuzzed: Fuzzed) => void = () => {},
): Fuzzed {
  const random = createRandom(options.seed);
  const models: Model[] = Array.from({ length: MODELS }, () => modelBatch(random));
  const decoder = createRangeDecoder();
  const sum = { messages: 0, stored: 0, parked: 0, rows: 0 };
  while (sum.messages < options.messages) {
    const size = Math.min(RANGE, options.messages - sum.messages);
    const messages = Array.from({ length: size }, (_, offset) => {
      const datum = mutate(random, random.pick(models));
      return { offset, datum: random.below(8) ? datum : mutate(random, { ...random.pick(models), datum }) };
    });
    const decoded = decoder.decode(PLACE, messages);
    const parked = new Set(decoded.refused.map(({ offset }) => offset));
    const stored = new Map(decoded.batches.map((batch) => [batch.offset, batch]));
    for (const { code } of decoded.refused.map(({ error }) => error)) assert.match(code, /^DECODE_/);
    const rowsOf = rowsByMessage(decoded);
    for (const { offset, datum } of messages) {
      const batch = stored.get(offset);
      assert.notEqual(parked.has(offset), batch !== undefined, 'parked or stored');
      if (!batch) continue;
      try {
        const expected = storedRows(datum);
        assert.deepEqual(plain(batch.envelope), expected.envelope);
        assert.deepEqual(rowsOf.get(offset) ?? [], expected.rows.toSorted());
        sum.rows += expected.rows.length;
      } catch (error) {
        throw new Error(`stored otherwise than avsc reads it: ${datum.toString('hex')}`, { cause: error });
      }
    }
    sum.messages += size;
    sum.stored += stored.size;
    sum.parked += parked.size;
    onRange(sum);
  }
  return sum;
}

/** Rows of the range's blocks by the message they say they came from, sorted. */
function rowsByMessage(
  decoded: ReturnType<ReturnType<typeof createRangeDecoder>['decode']>,
): ReadonlyMap<number, string[]> {
  const offsets = new Set(decoded.batches.map(({ offset }) => offset));
  const days = new Set(decoded.batches.flatMap(({ events }) => [...events.keys()]));
  const rows = new Map<number, string[]>();
  for (const day of days) {
    const block = decoded.events(offsets, day);
    assert.ok(block);
    const columns = readNativeBlock(block);
    const count = decoded.batches.reduce((total, { events }) => total + (events.get(day) ?? 0), 0);
    for (let row = 0; row < count; row++) {
      const offset = Number(columns.get('origin_offset')?.[row] ?? 0n);
      rows.set(offset, [...(rows.get(offset) ?? []), blockRow(columns, row)]);
    }
  }
  for (const list of rows.values()) list.sort();
  return rows;
}
