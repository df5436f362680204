/** A letter decoded as far as it goes. */
import { toNewest } from '@tcptrail/consumer/consume/schema-versions.ts';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { type BatchEnvelope, decodeEnvelope } from '@tcptrail/schemas/batch.ts';
import { createEventColumns } from '@tcptrail/schemas/event-columns.ts';
import { FRAME_BYTES, unframe } from '@tcptrail/schemas/single-object.ts';
import { skipEvents } from '@tcptrail/schemas/skip-events.ts';
import type { Letter } from './letters.ts';

/** After C3 01. */
const FINGERPRINT_AT = 2;

export interface Reading {
  /** Fields that stand before the events; undefined when the damage is before their end. */
  readonly head: BatchEnvelope | undefined;
  /** Events before the damage, or all. */
  readonly events: number;
  /** What is wrong and at which byte of `value`; undefined when all of it decodes. */
  readonly damage: { readonly sentence: string; readonly at: number | undefined } | undefined;
}

/** Reads as this program's consumer would. */
export function read({ form, value }: Pick<Letter, 'form' | 'value'>): Reading {
  const none = (sentence: string, at?: number): Reading => ({
    head: undefined,
    events: 0,
    damage: { sentence, at },
  });
  if (value === null) return none('the message has no value');
  if (form === 'damage') return none('bytes of a segment that are no block', 0);
  try {
    const { fingerprint, datum } = unframe(value);
    const newest = toNewest(fingerprint, datum);
    const reading = readDatum(newest, FRAME_BYTES);
    if (newest === datum || !reading.damage) return reading;
    // Of another version: its bytes stand elsewhere in the letter.
    return { ...reading, damage: { ...reading.damage, at: undefined } };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return none(error.message, error.code === 'SCHEMA_UNKNOWN' ? FINGERPRINT_AT : byteOf(error, FRAME_BYTES));
  }
}

function readDatum(datum: Uint8Array, shift: number): Reading {
  let head: BatchEnvelope | undefined;
  let events = 0;
  let damage: Reading['damage'];
  try {
    createEventColumns(1).append(datum, { origin: '', origin_partition: 0, origin_offset: 0 });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    damage = { sentence: error.message, at: byteOf(error, shift) };
  }
  const end = damage?.at === undefined ? datum.length : damage.at - shift;
  try {
    decodeEnvelope(datum, (bytes, offset, before) => {
      head = { ...before };
      let started = 0;
      const count = (start: number): void => {
        // The one before is whole when the next begins before the damage.
        if (start <= end) events = started++;
      };
      const range = skipEvents(bytes, offset, count);
      if (range.end <= end) events = range.count;
      return range;
    });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
  }
  return { head, events, damage };
}

/** The byte that the message names; `shift` bytes stand before what it counts. */
function byteOf({ code, message }: AppError, shift: number): number | undefined {
  if (code === 'FRAME_UNKNOWN') return 0;
  const at = /at byte (\d+)/.exec(message)?.[1];
  return at === undefined ? undefined : Number(at) + shift;
}
