/** Pieces of SQL that generated files are made of. */

/** A string literal. */
export function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** One to a line, with commas. */
export function lines(parts: readonly string[], indent: string): string {
  return parts.map((part) => `${indent}${part}`).join(',\n');
}
