/** What was measured, for people and as JSON lines. */
import { bytes, count, plural } from '../terminal/human.ts';
import { styleFor } from '../terminal/style.ts';
import { createTable, type Column as Head } from '../terminal/table.ts';
import type { Measured, Storage } from './storage.ts';

const COLUMNS_MAX = 20;

const text = (name: string): Head => ({ name, type: 'String' });
const number = (name: string): Head => ({ name, type: 'Float64' });
const size = (value: number | undefined): string => (value === undefined ? '-' : bytes(Math.round(value)));
const perRow = (value: number | undefined): string => (value === undefined ? '-' : value.toFixed(2));

function print(title: string, heads: readonly Head[], rows: readonly (readonly string[])[]): void {
  if (rows.length === 0) return;
  const style = styleFor(process.stdout);
  const table = createTable({ columns: heads, style, sampleRows: rows.length + 1 });
  for (const row of rows) table.push(row);
  process.stdout.write(`${style('bold', title)}\n${table.end()}\n`);
}

/** `table`: whose columns; absent: of the largest. */
export function printTables(storage: Storage, table?: string): void {
  const { tables, extras, forecasts, empty, hosts, days } = storage;
  print(
    'On disk, bytes',
    [
      text('table'),
      ...['rows', 'parts', 'on disk', 'a row', 'raw a row', 'a row, merged', 'kept days'].map(number),
    ],
    tables.map((each) => [
      each.table,
      count(each.rows),
      count(each.parts),
      size(each.bytes),
      perRow(each.bytesPerRow),
      perRow(each.rawBytes / each.rows),
      perRow(each.mergedBytesPerRow),
      each.keptDays === undefined ? '-' : each.keptDays.toFixed(0),
    ]),
  );
  print(
    'Indices and projections',
    [text('table'), text('kind'), text('name'), number('on disk'), number('a row of the table')],
    extras.map(({ table: of, kind, name, bytes: held }) => {
      const rows = tables.find((each) => each.table === of)?.rows ?? 0;
      return [of, kind, name, size(held), rows > 0 ? perRow(held / rows) : '-'];
    }),
  );
  const shown = table === undefined ? tables[0] : tables.find((each) => each.table === table);
  if (shown) printColumns(shown, table === undefined ? COLUMNS_MAX : Number.POSITIVE_INFINITY);
  print(
    `Forecast for ${plural(hosts, 'host')}, by the rows of ${plural(days, 'day')}`,
    [
      text('table'),
      ...[
        'rows, host and day',
        'a row',
        'kept days',
        'a host',
        `${count(hosts)} hosts`,
        'a host and year',
      ].map(number),
    ],
    [
      ...forecasts.map((each) => [
        each.table,
        count(Math.round(each.rowsPerHostDay)),
        perRow(each.bytesPerRow),
        each.keptDays === undefined ? '-' : each.keptDays.toFixed(0),
        size(each.bytesPerHost),
        size(each.bytes),
        size(each.bytesPerHostYear),
      ]),
      ...(forecasts.length > 1
        ? [
            [
              'all',
              '',
              '',
              '',
              size(sum(forecasts.map((each) => each.bytesPerHost ?? 0))),
              size(sum(forecasts.map((each) => each.bytes ?? 0))),
              size(sum(forecasts.map((each) => each.bytesPerHostYear))),
            ],
          ]
        : []),
    ],
  );
  if (empty.length > 0)
    process.stdout.write(`Not in the forecast, as they hold nothing yet: ${empty.join(', ')}\n`);
}

function printColumns({ table, columns, sampleRows, compactRows }: Measured, columnsMax: number): void {
  const all = sum(columns.map(({ bytesPerRow }) => bytesPerRow));
  const how =
    sampleRows > 0
      ? `, ${plural(sampleRows, 'row')} measured for ${plural(compactRows, 'row')} in compact parts`
      : '';
  print(
    `Columns of ${table}${how}`,
    [text('column'), ...['a row', 'raw a row', 'raw / a row', '% of columns'].map(number)],
    columns
      .slice(0, columnsMax)
      .map((each) => [
        each.column,
        each.bytesPerRow.toFixed(3),
        perRow(each.rawBytesPerRow),
        each.bytesPerRow > 0 ? (each.rawBytesPerRow / each.bytesPerRow).toFixed(1) : '-',
        ((each.bytesPerRow / all) * 100).toFixed(1),
      ]),
  );
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

export function printLines({ tables, extras, forecasts, hosts, days }: Storage): void {
  const rowsOf = (table: string): number => tables.find((each) => each.table === table)?.rows ?? 0;
  const lines: object[] = [
    ...tables.map((each) => ({
      kind: 'table',
      table: each.table,
      rows: each.rows,
      parts: each.parts,
      compact_rows: each.compactRows,
      sample_rows: each.sampleRows,
      bytes: each.bytes,
      raw_bytes: each.rawBytes,
      index_bytes: each.indexBytes,
      projection_bytes: each.projectionBytes,
      bytes_per_row: each.bytesPerRow,
      raw_bytes_per_row: each.rawBytes / each.rows,
      merged_bytes_per_row: each.mergedBytesPerRow ?? null,
      kept_days: each.keptDays ?? null,
    })),
    ...tables.flatMap((each) =>
      each.columns.map(({ table, column, bytesPerRow, rawBytesPerRow }) => ({
        kind: 'column',
        table,
        column,
        bytes_per_row: bytesPerRow,
        raw_bytes_per_row: rawBytesPerRow,
      })),
    ),
    ...extras.map((each) => ({ ...each, bytes_per_row: each.bytes / rowsOf(each.table) })),
    ...forecasts.map((each) => ({
      kind: 'forecast',
      table: each.table,
      hosts,
      days,
      rows_per_host_day: each.rowsPerHostDay,
      bytes_per_row: each.bytesPerRow,
      kept_days: each.keptDays ?? null,
      bytes_per_host: each.bytesPerHost ?? null,
      bytes: each.bytes ?? null,
      bytes_per_host_year: each.bytesPerHostYear,
    })),
  ];
  process.stdout.write(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}
