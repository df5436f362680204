/** One row of tcp_batches out of an envelope, as JSONEachRow takes it. */
import type { BatchEnvelope } from '@tcptrail/schemas/batch.ts';
import type { Origin } from '@tcptrail/schemas/event-columns.ts';
import { BATCH_FIELDS, type BatchField } from '@tcptrail/schemas/fields.ts';
import { timeText } from '@tcptrail/schemas/time-text.ts';

type Row = Record<string, unknown>;

/** `day`: since 1970, under which it is filed. */
export function batchRow(batch: {
  envelope: BatchEnvelope;
  day: number;
  events: number;
  origin: Origin;
}): Row {
  const values = batch.envelope as unknown as Row;
  const row: Row = { day: dateText(batch.day) };
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

function dateText(day: number): string {
  return new Date(day * 86_400_000).toISOString().slice(0, 10);
}
