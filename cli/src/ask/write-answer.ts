/** Asks, and writes the answer in its form. */
import { answerLines } from '../clickhouse/answer.ts';
import type { Connection } from '../clickhouse/connection.ts';
import { sentence } from '../clickhouse/sentence.ts';
import { plural } from '../terminal/human.ts';
import { plain, styleFor } from '../terminal/style.ts';
import { unescapeTsv } from '../terminal/table.ts';
import type { AskOptions } from './ask.ts';
import type { Bound } from './bound.ts';
import type { Output } from './output.ts';
import { tableText } from './table-text.ts';

export interface Way {
  readonly connection: Connection;
  readonly output: Output;
  readonly format: AskOptions['format'];
  readonly signal: AbortSignal;
}

const TABLE_FORMAT = 'TabSeparatedWithNamesAndTypes';
const WIRE_FORMATS: Readonly<Record<AskOptions['format'], string>> = {
  table: TABLE_FORMAT,
  json: 'JSONEachRow',
  csv: 'CSVWithNames',
  parquet: 'Parquet',
};

/** Throws CLI_CLICKHOUSE_UNREACHABLE, CLI_CLICKHOUSE_DENIED, CLI_QUERY_FAILED, CLI_FILE_UNWRITABLE. */
export async function writeAnswer({ question, params }: Bound, way: Way): Promise<void> {
  const { connection, output, format, signal } = way;
  const answer = await connection.ask({ query: question.sql, params, format: WIRE_FORMATS[format], signal });
  if (format === 'csv' || format === 'parquet') {
    try {
      for await (const chunk of answer.stream) await output.write(chunk as Uint8Array);
    } catch (error) {
      throw sentence(error, { url: connection.url });
    }
    return;
  }
  const lines = answerLines(answer.stream, connection.url);
  if (format === 'json') {
    let rows = 0;
    for await (const line of lines) {
      rows++;
      await output.write(`${line}\n`);
    }
    if (rows === 0) process.stderr.write('0 rows\n');
    return;
  }
  // A question has a limit: its rows fit into memory, and its bars are measured by the largest.
  const table: string[][] = [];
  for await (const line of lines) table.push(line.split('\t'));
  const [names = [], types = [], ...rows] = table;
  const columns = names.map((name, index) => ({
    name: unescapeTsv(name),
    type: unescapeTsv(types[index] ?? ''),
  }));
  const style = output.columns === undefined ? plain : styleFor(process.stdout);
  await output.write(tableText({ columns, rows, chart: question.chart, lineWidth: output.columns, style }));
  if (rows.length === 0 || output.columns !== undefined)
    process.stderr.write(`${plural(rows.length, 'row')}\n`);
}
