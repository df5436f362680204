/** Which fields of the published schema the scenarios say nothing about, in rows of which kind. Pure. */
import { EVENT_KINDS, type EventKind } from '@tcptrail/schemas/enums.ts';
import { avroFields, EVENT_FIELDS, OWNER_FIELDS } from '@tcptrail/schemas/fields.ts';
import { cannotFail } from './check.ts';
import { type Expectation, isRow } from './expected.ts';
import type { Row } from './rows.ts';

export interface NotCompared {
  readonly kind: EventKind;
  /** No row of that kind met an expectation. */
  readonly isUnseen: boolean;
  /** Fields that the kind fills and that were compared in no row of it, in the order of the schema. */
  readonly fields: readonly string[];
}

interface Played {
  readonly expectations: readonly Expectation[];
  readonly rows: readonly Row[];
}

/** By which rows are found; `owner` is the owner's fields. */
const ALWAYS = ['kind', 'network_namespace', 'owner'];
/** Their retransmissions by cause are compared as sums. */
const SUMMED: readonly string[] = ['open', 'update', 'close', 'fail'];

/** An expectation that no row met has compared nothing, nor has a check that no value can fail. */
export function fieldsNotCompared(played: readonly Played[]): readonly NotCompared[] {
  const told = new Map<string, Set<string>>();
  for (const { expectations, rows } of played)
    for (const one of expectations) {
      const known = told.get(one.kind) ?? new Set<string>();
      const unknown = [
        ...Object.keys(one.key).map((name) => [name, ''] as const),
        ...Object.entries(one.fields),
      ].filter(([name]) => !known.has(name));
      if (told.has(one.kind) && unknown.length === 0) continue;
      for (const row of rows.filter((row) => isRow(row, one))) {
        told.set(one.kind, known);
        for (const [name, wanted] of unknown) if (!cannotFail(wanted, row)) known.add(name);
      }
    }
  return EVENT_KINDS.filter((kind) => kind !== 'unknown').map((kind) => ({
    kind,
    isUnseen: !told.has(kind),
    fields: filledBy(kind).filter((name) => !isCompared(kind, name, told.get(kind))),
  }));
}

const isCompared = (kind: EventKind, name: string, told: ReadonlySet<string> | undefined): boolean =>
  ALWAYS.includes(name) ||
  told?.has(name) === true ||
  (SUMMED.includes(kind) && told !== undefined && name.startsWith('retrans_'));

/** As the schema says. */
const filledBy = (kind: EventKind): readonly string[] =>
  avroFields([...EVENT_FIELDS, ...OWNER_FIELDS])
    .filter(({ kinds }) => kinds?.includes(kind) ?? true)
    .map(({ name }) => name);

/** As a list for docs/accuracy.md: first what no kind compares, then what each lacks beside. */
export function describeNotCompared(all: readonly NotCompared[]): string {
  const seen = all.filter(({ isUnseen }) => !isUnseen);
  const everywhere = avroFields([...EVENT_FIELDS, ...OWNER_FIELDS])
    .map(({ name }) => name)
    .filter((name) =>
      seen.every(({ kind, fields }) => fields.includes(name) || !filledBy(kind).includes(name)),
    );
  const quote = (names: readonly string[]): string =>
    names.length === 0 ? 'none' : names.map((name) => `\`${name}\``).join(', ');
  return [
    `- any kind: ${quote(everywhere)}`,
    ...seen.map(({ kind, fields }) => {
      const rest = fields.filter((name) => !everywhere.includes(name));
      return `- beside them \`${kind}\`: ${quote(rest)}`;
    }),
    ...all.filter(({ isUnseen }) => isUnseen).map(({ kind }) => `- \`${kind}\`: no such row was compared`),
  ].join('\n');
}
