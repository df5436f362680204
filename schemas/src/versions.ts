/**
 * Versions of the batch's schema. Each is `avro/event-batch.v<N>.avsc`; the newest is written from the field table,
 * those before it are released and frozen. To release one: add its successor here, and run `make gen`.
 */
export const VERSIONS: readonly number[] = [1];

export const NEWEST: number = Math.max(...VERSIONS);

/** Where the schema of a version stands. */
export const schemaUrl = (version: number): URL =>
  new URL(`../avro/event-batch.v${version}.avsc`, import.meta.url);
