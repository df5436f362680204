/** Whose rows: chosen by an address, a host or a user; all of them for a hold alone. */

export type Kind = 'all' | 'address' | 'host' | 'uid';

export interface Subject {
  readonly kind: Kind;
  /** Empty for all. */
  readonly value: string;
  /** Ids of a host that is given by its name, where they are known. */
  readonly hostIds?: readonly string[];
}

/** Condition on rows of a table with these columns; undefined where they cannot tell. */
export function condition(subject: Subject, columns: ReadonlySet<string>): string | undefined {
  const { kind, value, hostIds = [] } = subject;
  if (kind === 'all') return 'true';
  const of = (names: readonly string[], values: string): string | undefined => {
    const there = names.filter((name) => columns.has(name)).map((name) => `${name} IN (${values})`);
    return there.length > 0 ? `(${there.join(' OR ')})` : undefined;
  };
  switch (kind) {
    case 'address':
      return of(['local_address', 'peer_address', 'peer_translated_address'], `toIPv6(${literal(value)})`);
    case 'host':
      return of(['host_id', 'host_name'], [value, ...hostIds].map(literal).join(', '));
    case 'uid':
      return of(['uid', 'socket_uid'], literal(value));
  }
}

/** `text` in quotes, as SQL. */
export const literal = (text: string): string => `'${text.replaceAll(/[\\']/g, '\\$&')}'`;
