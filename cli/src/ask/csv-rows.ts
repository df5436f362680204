/** Rows of CSV from its lines. */

/** A line feed within quotes is part of a value, and a quote within is doubled. */
export async function* csvRows(lines: AsyncIterable<string>): AsyncGenerator<string> {
  let row: string | undefined;
  for await (const line of lines) {
    row = row === undefined ? line : `${row}\n${line}`;
    if (row.split('"').length % 2 === 0) continue;
    yield row;
    row = undefined;
  }
  if (row !== undefined) yield row;
}
