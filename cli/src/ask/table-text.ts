/** An answer as a table, with the chart of its question where there is a terminal. */
import type { Chart } from '@tcptrail/schemas/question.ts';
import { bar } from '../terminal/bar.ts';
import { humanCell, isTime } from '../terminal/human-cell.ts';
import type { Style } from '../terminal/style.ts';
import { type Column, createTable, lineWidthsOf, unescapeTsv } from '../terminal/table.ts';
import { pad, widthOf } from '../terminal/width.ts';
import { sparkLines } from './spark-lines.ts';

export interface TableTextOptions {
  readonly columns: readonly Column[];
  /** TabSeparated values. */
  readonly rows: readonly (readonly string[])[];
  readonly chart: Chart;
  /** Columns of the terminal; undefined where it is none: values as they are stored, and no chart. */
  readonly lineWidth: number | undefined;
  readonly style: Style;
}

const BAR_COLUMNS_MAX = 24;
const BAR_COLUMNS_MIN = 8;
const GAP = 2;

/** The text ends in a line feed. */
export function tableText(options: TableTextOptions): string {
  const { rows, chart, lineWidth, style } = options;
  if (lineWidth === undefined) return filled(createTable({ columns: options.columns, style }), rows);
  const columns = options.columns.map((column) => ({ ...column, isWhole: isTime(column) }));
  const human = rows.map((row) => row.map((value, index) => humanCell(value, columns[index] ?? NO_COLUMN)));
  const { whole, least } = lineWidthsOf(columns, human);
  if (least > lineWidth && rows.length > 0) return records(columns, human, style);
  // Text is cut for a short bar, not for a long one.
  const barColumns = Math.min(BAR_COLUMNS_MAX, Math.max(BAR_COLUMNS_MIN, lineWidth - whole - GAP));
  const hasRoom = lineWidth - least - GAP >= BAR_COLUMNS_MIN;
  const value = chart.kind === 'bars' ? columns.findIndex(({ name }) => name === chart.value) : -1;
  if (value >= 0 && hasRoom && rows.length > 0) {
    const numbers = rows.map((row) => Number(row[value]));
    const largest = Math.max(...numbers.filter(Number.isFinite), 0);
    const bars = numbers.map((number) => pad(bar(number / largest, barColumns), barColumns));
    const table = createTable({
      columns: [...columns, { name: '', type: '', isWhole: true }],
      lineWidth,
      style,
    });
    return filled(
      table,
      human.map((row, index) => [...row, bars[index] ?? '']),
    );
  }
  const text = filled(createTable({ columns, lineWidth, style }), human);
  return chart.kind === 'line' && rows.length > 0
    ? `${text}\n${sparkLines({ columns, rows, chart, lineWidth, style })}`
    : text;
}

const NO_COLUMN: Column = { name: '', type: '' };

function filled(table: ReturnType<typeof createTable>, rows: readonly (readonly string[])[]): string {
  return rows.map((row) => table.push(row)).join('') + table.end();
}

/** Each row as lines of name and value: what is too wide for a table. */
function records(columns: readonly Column[], rows: readonly (readonly string[])[], style: Style): string {
  const nameColumns = Math.max(...columns.map(({ name }) => widthOf(name)));
  const record = (row: readonly string[]): string =>
    columns
      .map(
        ({ name }, index) => `${style('bold', pad(name, nameColumns))}  ${unescapeTsv(row[index] ?? '')}\n`,
      )
      .join('');
  return rows.map(record).join('\n');
}
