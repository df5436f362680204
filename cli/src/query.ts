/** `tcptrail query`: any SQL; the answer as a table, JSON lines or CSV, streamed. */
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { answerLines } from './clickhouse/answer.ts';
import { type Connection, type ConnectionOptions, createConnection } from './clickhouse/connection.ts';
import type { Encoding } from './clickhouse/lines.ts';
import { sentence } from './clickhouse/sentence.ts';
import { cliError } from './errors.ts';
import { plural } from './terminal/human.ts';
import { styleFor } from './terminal/style.ts';
import { createTable, type Table, unescapeTsv } from './terminal/table.ts';

export interface QueryOptions extends ConnectionOptions {
  readonly json?: boolean;
  readonly csv?: boolean;
}

const TABLE_FORMAT = 'TabSeparatedWithNamesAndTypes';

export async function query(sql: string, options: QueryOptions): Promise<void> {
  const statement = sql === '-' ? await text(process.stdin) : sql;
  if (statement.trim() === '') throw cliError('CLI_USAGE', ['the SQL is empty', 'tcptrail query']);
  const connection = createConnection(options);
  const format = options.json ? 'JSONEachRow' : options.csv ? 'CSVWithNames' : TABLE_FORMAT;
  const stop = new AbortController();
  const cancel = (): void => stop.abort();
  process.once('SIGINT', cancel);
  try {
    const answer = await connection.ask({ query: statement, format, isWhole: true, signal: stop.signal });
    if (answer.format === TABLE_FORMAT) await printTable(answer.stream, connection);
    else if (answer.format === 'JSONEachRow') await printLines(answer.stream, connection, 'utf8');
    // A string of ClickHouse may hold any bytes.
    else if (answer.format === 'CSVWithNames') await printLines(answer.stream, connection, 'latin1');
    else await printBytes(answer.stream, connection);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    process.exitCode = 130;
  } finally {
    process.off('SIGINT', cancel);
    await connection.close();
  }
}

async function printTable(stream: AsyncIterable<unknown>, connection: Connection): Promise<void> {
  let names: readonly string[] | undefined;
  let table: Table | undefined;
  let rows = 0;
  for await (const line of answerLines(stream, connection.url)) {
    const values = line.split('\t');
    if (!names) names = values.map(unescapeTsv);
    else if (!table) {
      const columns = names.map((name, index) => ({ name, type: unescapeTsv(values[index] ?? '') }));
      const lineWidth = process.stdout.isTTY ? process.stdout.columns : undefined;
      table = createTable({ columns, lineWidth, style: styleFor(process.stdout) });
    } else {
      rows++;
      await write(table.push(values));
    }
  }
  if (rows > 0) await write(table?.end() ?? '');
  if (table && (rows === 0 || process.stdout.isTTY)) process.stderr.write(`${plural(rows, 'row')}\n`);
}

async function printLines(
  stream: AsyncIterable<unknown>,
  connection: Connection,
  encoding: Encoding,
): Promise<void> {
  let empty = true;
  for await (const line of answerLines(stream, connection.url, encoding)) {
    empty = false;
    await write(Buffer.from(`${line}\n`, encoding));
  }
  if (empty) process.stderr.write('0 rows\n');
}

/** Bytes as they come, in whatever format the query names itself. */
async function printBytes(stream: AsyncIterable<unknown>, connection: Connection): Promise<void> {
  try {
    for await (const chunk of stream) await write(chunk as Uint8Array);
  } catch (error) {
    throw sentence(error, { url: connection.url });
  }
}

async function write(chunk: string | Uint8Array): Promise<void> {
  if (chunk.length > 0 && !process.stdout.write(chunk)) await once(process.stdout, 'drain');
}
