/**
 * Rows in the order of the key of tcp_events: (toStartOfHour(ts), host_id, socket_cookie, generation, ts).
 *
 * ClickHouse sorts each block that it is sent, all its columns, unless the block is in order: what is done here costs
 * it nothing. It is a matter of speed alone. What this leaves out of order (cookies too far apart, hosts whose names
 * ClickHouse compares otherwise) ClickHouse puts in order.
 */

/** By row; 64-bit values are two words, low first. */
export interface KeyColumns {
  readonly ts: Uint32Array;
  readonly socket_cookie: Uint32Array;
  readonly generation: Uint32Array;
}

const BUCKET_US = 3600e6;

/** `rows` with the same hour and host, as they came. */
interface Group {
  readonly key: number;
  rows: number;
  /** Where the next of them goes. */
  at: number;
}

/** `rows`, which came one after another, in the table's order; `hostOf`: rank of the row's host among all. */
export function inTableOrder(
  columns: KeyColumns,
  rows: Uint32Array,
  { hostOf, hosts }: { readonly hostOf: (row: number) => number; readonly hosts: number },
): Uint32Array {
  const groupOf = new Uint32Array(rows.length);
  const groups: Group[] = [];
  const known = new Map<number, number>();
  let lastKey = Number.NaN;
  let last = 0;
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index] as number;
    const key = Math.floor(value(columns.ts, row) / BUCKET_US) * hosts + hostOf(row);
    if (key !== lastKey) {
      lastKey = key;
      last = known.get(key) ?? groups.length;
      if (last === groups.length) groups.push({ key, rows: 0, at: 0 });
      known.set(key, last);
    }
    groupOf[index] = last;
    (groups[last] as Group).rows += 1;
  }
  let end = 0;
  for (const group of groups.toSorted((a, b) => a.key - b.key)) {
    group.at = end;
    end += group.rows;
  }
  const ordered = new Uint32Array(rows.length);
  for (let index = 0; index < rows.length; index++) {
    const group = groups[groupOf[index] as number] as Group;
    ordered[group.at++] = rows[index] as number;
  }
  for (const { at, rows: count } of groups) sortGroup(columns, ordered.subarray(at - count, at));
  return ordered;
}

/** By cookie, then generation, then time. */
function sortGroup(columns: KeyColumns, rows: Uint32Array): void {
  const { socket_cookie } = columns;
  let least = Number.POSITIVE_INFINITY;
  let greatest = 0;
  for (const row of rows) {
    const cookie = value(socket_cookie, row);
    if (cookie < least) least = cookie;
    if (cookie > greatest) greatest = cookie;
  }
  // A cookie and a place in one number, which typed arrays sort without calling back.
  const places = 2 ** Math.ceil(Math.log2(rows.length));
  if ((greatest - least + 1) * places > Number.MAX_SAFE_INTEGER) return;
  const keys = new Float64Array(rows.length);
  for (let index = 0; index < rows.length; index++)
    keys[index] = (value(socket_cookie, rows[index] as number) - least) * places + index;
  keys.sort();
  const came = rows.slice();
  for (let index = 0; index < rows.length; index++)
    rows[index] = came[(keys[index] as number) % places] as number;
  for (let index = 1; index < rows.length; index++) {
    for (let at = index; at > 0 && isBefore(columns, rows[at] as number, rows[at - 1] as number); at--) {
      const row = rows[at] as number;
      rows[at] = rows[at - 1] as number;
      rows[at - 1] = row;
    }
  }
}

/** Whether the one row comes before the other of the same connection, or of another on its socket. */
function isBefore({ ts, socket_cookie, generation }: KeyColumns, one: number, other: number): boolean {
  if (value(socket_cookie, one) !== value(socket_cookie, other)) return false;
  const [mine, theirs] = [generation[one] as number, generation[other] as number];
  return mine === theirs ? value(ts, one) < value(ts, other) : mine < theirs;
}

function value(words: Uint32Array, row: number): number {
  return (words[2 * row + 1] as number) * 0x1_0000_0000 + (words[2 * row] as number);
}
