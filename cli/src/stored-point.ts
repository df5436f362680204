/**
 * A point up to which all that a consumer stores is there: what comes after it is left out, so that a table that
 * grows holds still.
 *
 * Each place is stored in order, events before their batch; so all messages up to the newest batch of each are whole.
 */

export interface Place {
  readonly origin: string;
  readonly origin_partition: number;
  /** Offset of the newest message that is stored. */
  readonly last_offset: number;
}

interface Asking {
  readonly database: string;
  rows<Row>(sql: string): Promise<readonly Row[]>;
}

/** Tables whose rows name the message they came from, in order. */
const ORDERED = new Set(['tcp_events', 'tcp_batches']);

export async function storedPoint({ database, rows }: Asking): Promise<readonly Place[]> {
  return await rows<Place>(
    `SELECT origin, origin_partition, max(toInt64(origin_offset)) AS last_offset
     FROM ${database}.tcp_batches GROUP BY origin, origin_partition ORDER BY origin, origin_partition`,
  );
}

/** Condition on rows of `table`. */
export function upTo(point: readonly Place[], table: string): string {
  if (!ORDERED.has(table)) return 'true';
  if (point.length === 0) return 'false';
  const places = point.map(({ origin, origin_partition }) => quoted(`${origin} ${origin_partition}`));
  const lasts = point.map(({ last_offset }) => last_offset);
  return `toInt64(origin_offset) <= transform(concat(origin, ' ', toString(origin_partition)), [${places.join(', ')}], [${lasts.map((last) => `toInt64(${last})`).join(', ')}], toInt64(-1))`;
}

/** `text` as a literal of SQL. */
export const quoted = (text: string): string => `'${text.replaceAll(/[\\']/g, '\\$&')}'`;
