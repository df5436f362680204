/** Rows of the feed on standard output: lines for people, or JSON. */
import {
  type ConnectionRow,
  connectionHead,
  connectionLine,
  WIDE_COLUMNS,
} from '../terminal/connection-line.ts';
import { styleFor } from '../terminal/style.ts';

export interface PrinterOptions {
  readonly json: boolean;
  /** Names the host of each line; default: as soon as a second host appears. */
  readonly host?: boolean;
}

/** Text for `rows`, each line ended; the head stands above the first line on a terminal. */
export function createPrinter(
  options: PrinterOptions,
  stream: NodeJS.WriteStream = process.stdout,
): (rows: readonly ConnectionRow[]) => string {
  const style = styleFor(stream);
  const hosts = new Set<string>();
  let headed = !stream.isTTY;
  return (rows) => {
    if (rows.length === 0) return '';
    if (options.json) return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    for (const row of rows) hosts.add(row.host_name);
    const host = options.host ?? hosts.size > 1;
    const narrow = stream.isTTY && stream.columns < WIDE_COLUMNS;
    const lines = rows.map((row) => connectionLine(row, { style, host, narrow }));
    if (!headed) lines.unshift(connectionHead({ style, host, narrow }));
    headed = true;
    return `${lines.join('\n')}\n`;
  };
}
