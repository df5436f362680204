/** Walks the events array of a batch without decoding it. */
import { createAvroReader } from './avro-reader.ts';
import { avroFields, EVENT_FIELDS } from './fields.ts';
import { ADDRESS_BYTES } from './types.ts';

/** How each field of an event is passed over: a varint, so many bytes, a length with its bytes, a list of varints. */
const STEPS = avroFields(EVENT_FIELDS).map(({ type }) => {
  if (type === 'bool') return 1;
  if (type === 'address') return ADDRESS_BYTES;
  if (type === 'text' || type === 'string' || type === 'name16') return 'bytes';
  return type === 'u32[]' ? 'list' : 'varint';
});

/**
 * `end` is the position after the array's closing zero. `onEvent` is told where each event starts, but for those in a
 * block that gives its size, which an agent never writes. Throws DECODE_TRUNCATED or DECODE_RANGE.
 */
export function skipEvents(
  datum: Uint8Array,
  offset: number,
  onEvent: (start: number) => void = () => {},
): { end: number; count: number } {
  const reader = createAvroReader(datum, offset);
  let total = 0;

  function skipList(): void {
    for (let count = reader.long(); count !== 0; count = reader.long()) {
      if (count < 0) reader.skip(reader.long());
      else for (let index = 0; index < count; index++) reader.skipLong();
    }
  }
  for (let count = reader.long(); count !== 0; count = reader.long()) {
    if (count < 0) {
      reader.skip(reader.long());
      total -= count;
      continue;
    }
    total += count;
    for (let event = 0; event < count; event++) {
      onEvent(reader.position);
      for (const step of STEPS) {
        if (step === 'varint') reader.skipLong();
        else if (step === 'bytes') reader.skip(reader.long());
        else if (step === 'list') skipList();
        else reader.skip(step);
      }
    }
  }
  return { end: reader.position, count: total };
}
