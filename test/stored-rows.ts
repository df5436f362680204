/** What tcp_events must hold of a batch: from avsc's reading of the datum and the documents alone. */
import { ENUMS } from '@tcptrail/schemas/enums.ts';
import { AVRO_OWNER_FIELDS, type Field } from '@tcptrail/schemas/fields.ts';
import { batchField, EVENT_BATCH_COLUMNS, EVENT_COLUMNS } from '@tcptrail/schemas/stored.ts';
import { BATCH_TYPE, plain } from './avsc-oracle.ts';
import type { Cell } from './native-reader.ts';
import { numberOf } from './predicted-values.ts';

type Values = Readonly<Record<string, unknown>>;

const DAY_US = 86_400_000_000n;
const EVENT_NAMES = EVENT_COLUMNS.map(({ name }) => name);
const OWNER_NAMES = AVRO_OWNER_FIELDS.map(({ name }) => name);
const FIELDS = new Map<string, Field>(
  [...EVENT_COLUMNS, ...AVRO_OWNER_FIELDS, ...EVENT_BATCH_COLUMNS.map(batchField)].map((field) => [
    field.name,
    field,
  ]),
);

/** All columns of one event, in the table's order but for the origin. */
export const STORED_NAMES: readonly string[] = [
  'day',
  ...EVENT_BATCH_COLUMNS,
  ...EVENT_NAMES,
  ...OWNER_NAMES,
  'ts_suspect',
];

/** The batch as avsc reads it, and a row a event. `brokerTs`: when a broker took it, µs. */
export function storedRows(
  datum: Uint8Array,
  brokerTs?: number,
): { readonly envelope: Values; readonly rows: string[] } {
  const { events, ...envelope } = plain(BATCH_TYPE.fromBuffer(Buffer.from(datum))) as Values & {
    events: Values[];
    owners: Values[];
    batch_ts: bigint;
  };
  const taken = BigInt(brokerTs ?? envelope.batch_ts);
  const filedTs = isFar(envelope.batch_ts, taken) ? taken : envelope.batch_ts;
  const rows = events.map((event) => {
    const ts = event['ts'] as bigint;
    const isSuspect = isFar(ts, filedTs);
    const row: Values = {
      ...envelope,
      ...event,
      ...envelope.owners[Number(event['owner'])],
      day: (isSuspect ? filedTs : ts) / DAY_US,
      ts_suspect: isSuspect,
    };
    return rowText(STORED_NAMES.map((name) => cellOf(name, row[name])));
  });
  return { envelope, rows };
}

const isFar = (a: bigint, b: bigint): boolean => (a > b ? a - b : b - a) > 2n * DAY_US;

/** The row of that number in a block that was read. */
export function blockRow(columns: ReadonlyMap<string, readonly Cell[]>, index: number): string {
  const cell = (name: string): Cell => columns.get(name)?.[index] ?? defaultOf(name);
  const isPredicted = (name: string): boolean => FIELDS.get(name)?.predicted !== undefined;
  const asked = (name: string): Cell =>
    isPredicted(name) ? numberOf(name, (stored) => cell(stored) as bigint) : cell(name);
  return rowText(STORED_NAMES.map(asked));
}

function rowText(cells: readonly Cell[]): string {
  return JSON.stringify(cells.map(String));
}

function cellOf(name: string, value: unknown): Cell {
  const type = FIELDS.get(name)?.type;
  if (typeof type === 'object') return BigInt((ENUMS[type.enum] as readonly unknown[]).indexOf(value));
  if (typeof value === 'boolean') return BigInt(value);
  return Buffer.isBuffer(value) ? value.toString('hex') : (value as Cell);
}

function defaultOf(name: string): Cell {
  const type = FIELDS.get(name)?.type;
  if (type === 'u32[]') return [];
  if (type === 'address') return '0'.repeat(32);
  return type === 'text' || type === 'name16' || type === 'string' ? '' : 0n;
}
