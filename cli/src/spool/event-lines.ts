/** The events of a batch as lines of JSON: the rows that the consumer of this spool would store, as `tail --json` prints them. */
import { createAvroReader } from '@tcptrail/schemas/avro-reader.ts';
import { type BatchEnvelope, decodeEnvelope } from '@tcptrail/schemas/batch.ts';
import { ENUMS } from '@tcptrail/schemas/enums.ts';
import { AVRO_OWNER_FIELDS, type Field, ORIGIN_FIELDS } from '@tcptrail/schemas/fields.ts';
import { isSuspect } from '@tcptrail/schemas/filing.ts';
import {
  allocateEvents,
  decodeEvents,
  EVENT_TEXTS,
  type EventArrays,
  type EventTexts,
} from '@tcptrail/schemas/generated/decode-events.ts';
import { batchField, EVENT_BATCH_COLUMNS, EVENT_COLUMNS } from '@tcptrail/schemas/stored.ts';
import { createTextDictionary } from '@tcptrail/schemas/text-dictionary.ts';
import { timeText } from '@tcptrail/schemas/time-text.ts';
import { addressText } from './address-text.ts';

const BATCH_COLUMNS = EVENT_BATCH_COLUMNS.map(batchField);

/** One line an event, each with its line feed. Throws DECODE_* for what is no batch. */
export function eventLines(datum: Uint8Array): readonly string[] {
  const blocks: { readonly arrays: EventArrays; readonly rows: number }[] = [];
  const texts = newTexts();
  const { envelope } = decodeEnvelope(datum, (bytes, offset, before) => {
    const reader = createAvroReader(bytes, offset);
    let count = 0;
    for (let block = reader.long(); block !== 0; block = reader.long()) {
      if (block < 0) reader.long();
      const rows = Math.abs(block);
      const arrays = allocateEvents(rows);
      const { length } = before.owners;
      reader.position = decodeEvents(bytes, reader.position, rows, length, 0, arrays, texts);
      blocks.push({ arrays, rows });
      count += rows;
    }
    return { end: reader.position, count };
  });
  return linesOf(envelope, blocks, texts);
}

function linesOf(
  envelope: BatchEnvelope,
  blocks: readonly { readonly arrays: EventArrays; readonly rows: number }[],
  texts: EventTexts,
): readonly string[] {
  const batch = members(BATCH_COLUMNS, envelope);
  const origin = members(ORIGIN_FIELDS, {
    origin: `spool:${envelope.host_id}:${envelope.agent_epoch}`,
    origin_partition: 0,
    origin_offset: envelope.batch_seq,
  });
  const owners = envelope.owners.map((owner) => members(AVRO_OWNER_FIELDS, owner));
  const lines: string[] = [];
  for (const { arrays, rows } of blocks) {
    for (let row = 0; row < rows; row++) {
      const ts = wide(arrays.ts, row);
      const suspect = isSuspect(ts, envelope.batch_ts);
      const day = timeText(suspect ? envelope.batch_ts : ts).slice(0, 10);
      const event = EVENT_COLUMNS.map((field) => `"${field.name}":${valueAt(field, arrays, texts, row)}`);
      const owner = owners[arrays.owner[row] ?? 0];
      lines.push(`{"day":"${day}",${batch},${event.join(',')},${owner},"ts_suspect":${suspect},${origin}}\n`);
    }
  }
  return lines;
}

/** What an item gives each row of its own, as members of a JSON object. */
function members(fields: readonly Field[], item: object): string {
  return fields
    .map(({ name, type }) => {
      const value = (item as Readonly<Record<string, unknown>>)[name];
      return `"${name}":${JSON.stringify(type === 'time' ? timeText(value as number) : value)}`;
    })
    .join(',');
}

function valueAt(field: Field, arrays: EventArrays, texts: EventTexts, row: number): string {
  const array = arrays[field.name as keyof EventArrays];
  const { type } = field;
  if (typeof type === 'object') return JSON.stringify(ENUMS[type.enum][(array[row] as number) ?? 0]);
  switch (type) {
    case 'bool':
      return String(array[row] === 1);
    case 'u64':
      return wideText(array as Uint32Array, row);
    case 'time':
      return `"${timeAt(array as Uint32Array, row)}"`;
    case 'address':
      return `"${addressText(new Uint8Array((array as Uint32Array).buffer), 16 * row)}"`;
    case 'text':
    case 'name16':
      return JSON.stringify(texts[field.name as keyof EventTexts].values[(array[row] as number) ?? 0]);
    case 'u32[]':
      return JSON.stringify(array[row]);
    default:
      return String(array[row]);
  }
}

const NEVER = timeText(0);

/** Most times of an event are 0. */
function timeAt(words: Uint32Array, row: number): string {
  const us = wide(words, row);
  return us === 0 ? NEVER : timeText(us);
}

/** A 64-bit value of two words, low first; times stay below 2^53. */
function wide(words: Uint32Array, row: number): number {
  return ((words[2 * row + 1] ?? 0) | 0) * 2 ** 32 + (words[2 * row] ?? 0);
}

/** As `wide`, unsigned, and exact beyond 2^53 too. */
function wideText(words: Uint32Array, row: number): string {
  const [low, high] = [words[2 * row] ?? 0, words[2 * row + 1] ?? 0];
  if (high < 2 ** 21) return String(high * 2 ** 32 + low);
  return String((BigInt(high) << 32n) | BigInt(low));
}

function newTexts(): EventTexts {
  const made = EVENT_TEXTS.map((name) => [name, createTextDictionary()]);
  return Object.fromEntries(made) as unknown as EventTexts;
}
