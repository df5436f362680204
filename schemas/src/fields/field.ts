/** What a field is, and how the tables beside this file write one: its stage, then name, type, unit, meaning. */
import type { EnumName, EventKind } from '../enums.ts';

/** Who first knows the value. */
export type Stage = 'kernel' | 'agent' | 'consumer';

/**
 * What a value is; fixes its C, Avro and ClickHouse form (`types.ts`).
 *
 * `time`: ns since boot in the ring, µs since the epoch from there on; 0 = never.
 * `name16`: NUL-padded in the ring. `text` repeats much, `string` little. `owner`: index into `owners`.
 */
export type Type =
  | 'bool'
  | 'u8'
  | 'u16'
  | 'u32'
  | 'u64'
  | 'time'
  | 'address'
  | 'name16'
  | 'text'
  | 'string'
  | 'u32[]'
  | 'owner'
  | { readonly enum: EnumName };

export interface Field {
  readonly name: string;
  readonly stage: Stage;
  readonly type: Type;
  /** Printed unit, '' for names, flags and plain numbers. */
  readonly unit: '' | 'us' | 'ms' | 'bytes' | 'bytes/s' | 'segments' | 'events' | 'connections';
  readonly doc: string;
  /** Event kinds that fill it; other kinds leave 0 or ''. Absent: all. */
  readonly kinds?: readonly EventKind[];
  /** OpenTelemetry or ECS name, where one exists. */
  readonly otel?: string;
  /** ClickHouse codec where the type's own is not the best. */
  readonly codec?: string;
  /** The columns of tcp_events that say it already. */
  readonly predicted?: Prediction;
  /** In the ring only: the agent turns it into another field. */
  readonly ringOnly?: true;
  /** What a `summary` holds of the connections folded into it. Absent: the value of one of them. */
  readonly summary?: SummaryForm;
}

/**
 * `same`: only connections that agree in it are folded into one. `zero`: one with another value is not folded.
 * `last`: of the last one. `sum`; `mean`, rounded, of those of which none or all
 * are 0; `least`, without those of 0.
 */
export type SummaryForm = 'same' | 'zero' | 'last' | 'sum' | 'mean' | 'least';

/**
 * What other columns say of a field: the sum of `plus` less that of `minus`. Of the field itself only the difference is
 * stored (`predicted.ts`). A predicted field predicts only those further down the table.
 */
export interface Prediction {
  readonly plus: readonly string[];
  readonly minus?: readonly string[];
  /** Added where the role is client. */
  readonly plusOfClient?: string;
  /** Where this is 0, the prediction is. */
  readonly unlessZero?: string;
}

export type Extra = Pick<Field, 'kinds' | 'otel' | 'codec' | 'predicted' | 'ringOnly' | 'summary'>;

/** Writes a row of a table of fields, as they all read: name, type, unit, meaning. */
const row =
  (stage: Stage) =>
  (name: string, type: Type, unit: Field['unit'], doc: string, extra: Extra = {}): Field => ({
    name,
    stage,
    type,
    unit,
    doc,
    ...extra,
  });
export const kernel = row('kernel');
export const agent = row('agent');
export const consumer = row('consumer');

/** Fields of an Avro record in wire order: all but what the ring alone or the consumer carries. */
export function avroFields(fields: readonly Field[]): readonly Field[] {
  return fields.filter((field) => field.stage !== 'consumer' && !field.ringOnly);
}
