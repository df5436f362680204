/** One row of tcp_batches out of an envelope, as JSONEachRow takes it. */
import type { BatchEnvelope } from '@tcptrail/schemas/batch.ts';
import type { Origin } from '@tcptrail/schemas/event-columns.ts';
import { BATCH_FIELDS, type BatchField } from '@tcptrail/schemas/fields.ts';

const DAY_US = 86_400e6;
/** What DateTime64(6) holds at most: the last second of 2299. */
const TIME_US_MAX = 10_413_791_999e6;

type Row = Record<string, unknown>;

/** Day the row is filed under, as tcp_events files its rows. */
export function batchDay(envelope: BatchEnvelope): number {
  return Math.floor(envelope.batch_ts / DAY_US) & 0xffff;
}

export function batchRow(batch: { envelope: BatchEnvelope; events: number; origin: Origin }): Row {
  const values = batch.envelope as unknown as Row;
  const row: Row = { day: dateText(batchDay(batch.envelope)) };
  for (const field of BATCH_FIELDS) put(row, field, values[field.name]);
  return {
    ...row,
    events: batch.events,
    heartbeat: batch.envelope.health !== null,
    ...batch.origin,
  };
}

function put(row: Row, field: BatchField, value: unknown): void {
  const { name, type } = field;
  if (type === 'events' || type === 'owners') return;
  if (typeof type !== 'object' || 'enum' in type) {
    row[name] = type === 'time' ? timeText(value as number) : value;
  } else if ('list' in type) {
    for (const member of type.of) {
      row[`${name}.${member.name}`] = ((value ?? []) as readonly Row[]).map((item) => item[member.name]);
    }
  } else if (value !== null) {
    for (const member of type.of) put(row, member, (value as Row)[member.name]);
  }
}

function timeText(us: number): string {
  const clamped = Math.min(Math.max(us, 0), TIME_US_MAX);
  const micros = String(clamped % 1_000_000).padStart(6, '0');
  return `${new Date(Math.floor(clamped / 1_000_000) * 1000).toISOString().slice(0, 19).replace('T', ' ')}.${micros}`;
}

function dateText(day: number): string {
  return new Date(day * 86_400_000).toISOString().slice(0, 10);
}
