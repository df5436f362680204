/** Which fields of the published schema the scenarios say anything about. */
import { avroFields, EVENT_FIELDS, OWNER_FIELDS } from '@tcptrail/schemas/fields.ts';
import type { Expectation } from './expected.ts';

/** Names that no expectation has, in the order of the schema. `owner` is the owner's fields. */
export function fieldsNotCompared(expectations: readonly Expectation[]): readonly string[] {
  const told = new Set(['network_namespace', 'owner']);
  for (const { fields, key } of expectations)
    for (const name of [...Object.keys(fields), ...Object.keys(key)]) told.add(name);
  // Compared as sums, in every row that ends a connection.
  for (const { name } of EVENT_FIELDS) if (name.startsWith('retrans_') || name === 'kind') told.add(name);
  return avroFields([...EVENT_FIELDS, ...OWNER_FIELDS])
    .map(({ name }) => name)
    .filter((name) => !told.has(name));
}
