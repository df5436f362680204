/** Asks, and writes the answer in its form. */
import { answerLines, parquetChunks } from '../clickhouse/answer.ts';
import type { Connection } from '../clickhouse/connection.ts';
import type { Encoding } from '../clickhouse/lines.ts';
import { plural } from '../terminal/human.ts';
import { plain, styleFor } from '../terminal/style.ts';
import { unescapeTsv } from '../terminal/table.ts';
import type { AskOptions } from './ask.ts';
import { type Bound, coveredText } from './bound.ts';
import { csvRows } from './csv-rows.ts';
import type { Output } from './output.ts';
import { tableText } from './table-text.ts';

export interface Way {
  readonly connection: Connection;
  readonly output: Output;
  readonly format: AskOptions['format'];
  readonly signal: AbortSignal;
}

interface Told {
  /** Undefined where nobody counted them. */
  readonly rows: number | undefined;
  readonly hasMore: boolean;
}

const TABLE_FORMAT = 'TabSeparatedWithNamesAndTypes';

/**
 * The answer goes to the output, and what is to be said of it to stderr.
 *
 * Throws CLI_CLICKHOUSE_UNREACHABLE, CLI_CLICKHOUSE_DENIED, CLI_QUERY_FAILED, CLI_FILE_UNWRITABLE.
 */
export async function writeAnswer(bound: Bound, way: Way): Promise<void> {
  const { rows, hasMore } = await WRITERS[way.format](bound, way);
  const say = (text: string): boolean => process.stderr.write(`${text}\n`);
  if (hasMore) say(`the first ${plural(bound.limit, 'row')}; there are more: give a larger --limit`);
  else if (rows === 0 || (rows !== undefined && way.output.columns !== undefined)) say(plural(rows, 'row'));
  const covered = coveredText(bound);
  if (covered !== undefined) say(covered);
}

const WRITERS: Readonly<Record<AskOptions['format'], (bound: Bound, way: Way) => Promise<Told>>> = {
  async table(bound, way) {
    const { output } = way;
    // A question has a limit: its rows fit into memory, and its bars are measured by the largest.
    const table: string[][] = [];
    const told = await eachRow(bound, way, {
      format: TABLE_FORMAT,
      headRows: 2,
      write: async (line) => void table.push(line.split('\t')),
    });
    const [names = [], types = [], ...rows] = table;
    const columns = names.map((name, index) => ({
      name: unescapeTsv(name),
      type: unescapeTsv(types[index] ?? ''),
    }));
    const style = output.columns === undefined ? plain : styleFor(process.stdout);
    const { chart } = bound.question;
    await output.write(tableText({ columns, rows, chart, lineWidth: output.columns, style }));
    return told;
  },
  json: (bound, way) =>
    eachRow(bound, way, { format: 'JSONEachRow', headRows: 0, write: (row) => way.output.write(`${row}\n`) }),
  csv: (bound, way) =>
    eachRow(bound, way, {
      format: 'CSVWithNames',
      headRows: 1,
      // A string of ClickHouse may hold any bytes.
      encoding: 'latin1',
      write: (row) => way.output.write(Buffer.from(`${row}\n`, 'latin1')),
    }),
  async parquet({ question, params, limit }, { connection, output, signal }) {
    const answer = await connection.ask({ query: question.sql, params, format: 'Parquet', signal });
    for await (const chunk of parquetChunks(answer.stream, connection.url)) await output.write(chunk);
    // No row can be taken off a file of columns: whether there are more is asked once again.
    const [counted] = await connection.rows<{ readonly rows: string }>(
      `SELECT count() AS rows FROM (${question.sql})`,
      { ...params, limit: limit + 1 },
    );
    return { rows: undefined, hasMore: Number(counted?.rows) > limit };
  },
};

interface Rows {
  readonly format: string;
  /** Rows that come before the first one. */
  readonly headRows: number;
  /** Default: utf8. */
  readonly encoding?: Encoding;
  write(text: string): Promise<void>;
}

/** Asks for one row more than is told, to know whether there are more. */
async function eachRow({ question, params, limit }: Bound, way: Way, rows: Rows): Promise<Told> {
  const { connection, signal } = way;
  const answer = await connection.ask({
    query: question.sql,
    params: { ...params, limit: limit + 1 },
    format: rows.format,
    signal,
  });
  const lines = answerLines(answer.stream, connection.url, rows.encoding);
  let seen = 0;
  // To its end, where an error may stand.
  for await (const text of way.format === 'csv' ? csvRows(lines) : lines)
    if (seen++ < rows.headRows + limit) await rows.write(text);
  const found = Math.max(0, seen - rows.headRows);
  return { rows: Math.min(found, limit), hasMore: found > limit };
}
