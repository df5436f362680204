/**
 * Every field of the record once; everything that has a layout is generated from here (`make gen`).
 *
 * Tables: an event, its owner, the batch that carries both, and what the consumer adds. Row order is Avro order, so
 * a released table only grows at its end. The ring record holds the `kernel` rows of events and owners.
 */
export { BATCH_FIELDS, type BatchField, type EnvelopeType } from './fields/batch.ts';
export { EVENT_FIELDS } from './fields/event.ts';
export { avroFields, type Field, type Prediction, type SummaryForm, type Type } from './fields/field.ts';
export { AVRO_OWNER_FIELDS, OWNER_FIELDS } from './fields/owner.ts';
export { ORIGIN_FIELDS, STORED_EVENT_FIELDS } from './fields/stored.ts';
