/** Environment variables and the keys they set: `batch.rowsMax` is TCPTRAIL_BATCH_ROWS_MAX. */

/** Value at the variable's key in a printed configuration, as the variable would say it; undefined: no such key. */
export function textAt(config: unknown, variable: string): string | undefined {
  return leaves(config).find(({ path }) => variableOf(path) === variable)?.text;
}

function variableOf(path: readonly string[]): string {
  const words = path.map((word) => word.replace(/[A-Z]/g, (capital) => `_${capital}`).toUpperCase());
  return ['TCPTRAIL', ...words].join('_');
}

function leaves(node: unknown, path: readonly string[] = []): { path: readonly string[]; text: string }[] {
  if (Array.isArray(node)) return [{ path, text: node.join(',') }];
  if (typeof node !== 'object' || node === null) return [{ path, text: String(node) }];
  return Object.entries(node).flatMap(([key, child]) => leaves(child, [...path, key]));
}
