/** Which columns the two raw tables have, out of the field table; order is the tables' order. */
import {
  AVRO_OWNER_FIELDS,
  BATCH_FIELDS,
  type BatchField,
  EVENT_FIELDS,
  type Field,
  ORIGIN_FIELDS,
  STORED_EVENT_FIELDS,
} from './fields.ts';
import { aliasSql, isPredicted, PREDICTED_FIELDS, predictionText, restName, restType } from './predicted.ts';
import { formOf } from './types.ts';

export interface Column {
  readonly name: string;
  readonly type: string;
  /** Of what it is computed where it is asked for; absent: it is stored. */
  readonly alias?: string;
  readonly codec: string;
  readonly comment: string;
}

/** Batch fields that every event row repeats. */
export const EVENT_BATCH_COLUMNS = [
  'host_name',
  'host_id',
  'boot_id',
  'agent_epoch',
  'batch_seq',
  'batch_part',
  'kernel_epoch',
] as const;

export const DAY_COLUMN: Column = {
  name: 'day',
  type: 'Date',
  codec: 'ZSTD(1)',
  comment: 'Day the row is filed under: partition and age.',
};

function column(field: Pick<Field, 'name' | 'type' | 'doc' | 'unit' | 'codec'>): Column {
  const form = formOf(field.type);
  return {
    name: field.name,
    type: form.clickhouse,
    codec: field.codec ?? form.codec,
    comment: field.unit ? `${field.doc} Unit: ${field.unit}.` : field.doc,
  };
}

export const EVENT_COLUMNS: readonly Field[] = EVENT_FIELDS.filter(
  (field) => field.type !== 'owner' && !field.ringOnly,
);

/** The columns of an event's field: itself or, where others say it, what is stored of it, and itself computed. */
function eventColumns(field: Field): readonly Column[] {
  if (!isPredicted(field)) return [column(field)];
  const rest: Column = {
    name: restName(field),
    type: restType(field),
    codec: 'T64, ZSTD(1)',
    comment: `What is stored of ${field.name}: its difference to ${predictionText(field)}. Unit: ${field.unit}.`,
  };
  return [rest, { ...column(field), alias: aliasSql(field) }];
}

/** Columns of tcp_events. */
export function eventTableColumns(): readonly Column[] {
  const batch = EVENT_BATCH_COLUMNS.map((name) => column(batchField(name)));
  return [
    DAY_COLUMN,
    ...batch,
    ...EVENT_COLUMNS.flatMap(eventColumns),
    ...AVRO_OWNER_FIELDS.map(column),
    ...STORED_EVENT_FIELDS.map(column),
    ...ORIGIN_FIELDS.map(column),
  ];
}

/** What a person reads of a row of tcp_events: all columns but the differences, and what no migration adds. */
export const EVENT_NAMES: readonly string[] = eventTableColumns()
  .map(({ name }) => name)
  .filter((name) => !PREDICTED_FIELDS.some((field) => restName(field) === name));

/** Columns of tcp_batches: lists of records become one array a member, named `list.member`. */
export function batchTableColumns(): readonly Column[] {
  const envelope = BATCH_FIELDS.flatMap((field): readonly Column[] => {
    const { type } = field;
    if (type === 'owners' || type === 'events') return [];
    if (type === 'labels') {
      return [
        {
          name: field.name,
          type: 'Map(LowCardinality(String), String)',
          codec: 'ZSTD(1)',
          comment: field.doc,
        },
      ];
    }
    if (typeof type !== 'object' || 'enum' in type) return [column({ ...field, type } as Field)];
    if ('list' in type) return nested(field.name, type.of, '');
    return type.of.flatMap((member) =>
      typeof member.type === 'object' && 'list' in member.type
        ? nested(member.name, member.type.of, '')
        : [column(member as Field)],
    );
  });
  return [
    DAY_COLUMN,
    ...envelope,
    { name: 'events', type: 'UInt32', codec: 'T64, ZSTD(1)', comment: 'Events in the batch. Unit: events.' },
    { name: 'heartbeat', type: 'Bool', codec: 'ZSTD(1)', comment: "The batch carries the agent's health." },
    ...ORIGIN_FIELDS.map(column),
  ];
}

function nested(name: string, members: readonly BatchField[], prefix: string): readonly Column[] {
  return members.map((member) => {
    const inner = column(member as Field);
    return {
      ...inner,
      name: `${prefix}${name}.${inner.name}`,
      type: `Array(${inner.type})`,
      codec: 'ZSTD(1)',
    };
  });
}

export function batchField(name: string): Field {
  const field = BATCH_FIELDS.find((row) => row.name === name);
  if (!field) throw new Error(`no batch field ${name}`);
  return field as Field;
}
