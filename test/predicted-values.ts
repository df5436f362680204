/** Fields that others predict, in exact numbers and from the field table alone: the judge of decoder and aliases. */
import { ROLES } from '@tcptrail/schemas/enums.ts';
import { EVENT_FIELDS } from '@tcptrail/schemas/fields.ts';
import { PREDICTED_FIELDS, type PredictedField, restName } from '@tcptrail/schemas/predicted.ts';

/** A column's number; times in µs, enums by index. */
type NumberOf = (name: string) => bigint;

const BITS = { time: 64, u64: 64, u32: 32 } as const;

function predictionOf({ predicted }: PredictedField, numberOf: NumberOf): bigint {
  const { plus, minus = [], plusOfClient, unlessZero } = predicted;
  if (unlessZero && numberOf(unlessZero) === 0n) return 0n;
  const isClient = numberOf('role') === BigInt(ROLES.indexOf('client'));
  const added = plusOfClient && isClient ? [...plus, plusOfClient] : plus;
  const sum = (names: readonly string[]): bigint => names.reduce((all, name) => all + numberOf(name), 0n);
  return sum(added) - sum(minus);
}

/** The value of a column of tcp_events; `storedOf` has those that are stored. */
export function numberOf(name: string, storedOf: NumberOf): bigint {
  const field = PREDICTED_FIELDS.find((one) => one.name === name);
  if (!field) return storedOf(name);
  const prediction = predictionOf(field, (other) => numberOf(other, storedOf));
  return BigInt.asUintN(BITS[field.type], prediction + storedOf(restName(field)));
}

/** A row of named values as JSONEachRow takes it: differences for what others predict. Absent is 0 or ''. */
export function storedForm(row: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const stored: Record<string, unknown> = { ...row };
  const numberIn: NumberOf = (name) => {
    if (name === 'role') return BigInt(ROLES.indexOf((row['role'] ?? 'unknown') as (typeof ROLES)[number]));
    const value = row[name] ?? 0;
    const isTime = EVENT_FIELDS.some((field) => field.name === name && field.type === 'time');
    return isTime && value !== 0 ? microseconds(String(value)) : BigInt(value as string | number | bigint);
  };
  for (const field of PREDICTED_FIELDS) {
    const rest = numberIn(field.name) - predictionOf(field, numberIn);
    delete stored[field.name];
    stored[restName(field)] = String(BigInt.asIntN(BITS[field.type], rest));
  }
  return stored;
}

/** Of `2026-01-02` or `2026-01-02 03:04:05`, with or without a fraction. */
function microseconds(text: string): bigint {
  const [whole = '', fraction = ''] = text.split('.');
  const ms = Date.parse(whole.length > 10 ? `${whole.replace(' ', 'T')}Z` : whole);
  return BigInt(ms) * 1_000n + BigInt(fraction.padEnd(6, '0'));
}
