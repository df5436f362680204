/** Where the fields of a summary stand in the ring record, by what a summary holds of them; from the field table. */
import { EVENT_FIELDS, type Field, type SummaryForm } from '@tcptrail/schemas/fields.ts';
import { RING } from '@tcptrail/schemas/generated/ring.ts';
import { formOf } from '@tcptrail/schemas/types.ts';

/** Words of the record, each with the bits that count. */
export interface Masks {
  readonly words: Int32Array;
  readonly bits: Int32Array;
}

/** Numbers of the record, by their low word. */
export interface Numbers {
  readonly words: Int32Array;
  /** Those of two words; their high word comes next. */
  readonly isWide: readonly boolean[];
}

const fieldsOf = (form: SummaryForm): readonly Field[] =>
  EVENT_FIELDS.filter(({ stage, summary }) => stage === 'kernel' && summary === form);
const offsetOf = ({ name }: Field): number => RING[name as keyof typeof RING];
const bytesOf = ({ type }: Field): number => formOf(type).c?.bytes ?? 0;
const range = (from: number, bytes: number): number[] =>
  Array.from({ length: bytes }, (_, index) => from + index);

/** Masks of single bytes of the record. */
function masksOf(bytes: readonly number[]): Masks {
  const masks = new Map<number, number>();
  for (const at of bytes) masks.set(at >> 2, (masks.get(at >> 2) ?? 0) | (0xff << (8 * (at & 3))));
  return { words: Int32Array.from(masks.keys()), bits: Int32Array.from(masks.values()) };
}

function numbersOf(fields: readonly Field[]): Numbers {
  return {
    words: Int32Array.from(fields, (field) => offsetOf(field) >> 2),
    isWide: fields.map((field) => bytesOf(field) === 8),
  };
}

/** Bytes above the low half of a sum: 2^16 of such values still fit its field. */
function bytesBeyondSum(field: Field): readonly number[] {
  const low = bytesOf(field) / 2;
  return range(offsetOf(field) + low, low);
}

const sums = fieldsOf('sum');

export const SAME = masksOf(fieldsOf('same').flatMap((field) => range(offsetOf(field), bytesOf(field))));
export const LAST = masksOf(fieldsOf('last').flatMap((field) => range(offsetOf(field), bytesOf(field))));
/** What must be 0 for a connection to be folded. */
export const ZERO = masksOf([
  ...fieldsOf('zero').flatMap((field) => range(offsetOf(field), bytesOf(field))),
  ...sums.flatMap(bytesBeyondSum),
]);
export const SUMS = numbersOf(sums);
export const MEANS = numbersOf(fieldsOf('mean'));
export const LEASTS = numbersOf(fieldsOf('least'));

/** Connections in one summary, so that no sum overflows. */
export const CONNECTIONS_MAX = 65_536;
