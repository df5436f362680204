/** Series of an answer as spark lines: one line a series and value column. */
import type { Chart } from '@tcptrail/schemas/question.ts';
import { spark } from '../terminal/bar.ts';
import { humanCell } from '../terminal/human-cell.ts';
import type { Style } from '../terminal/style.ts';
import type { Column } from '../terminal/table.ts';
import { cut, pad, widthOf } from '../terminal/width.ts';

export interface SparkLinesOptions {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly string[])[];
  readonly chart: Extract<Chart, { kind: 'line' }>;
  readonly lineWidth: number;
  readonly style: Style;
}

const LABEL_COLUMNS_MAX = 32;
const SERIES_MAX = 20;

/** Each line: the series, its spark line, its largest value. Each is measured by its own largest. */
export function sparkLines({ columns, rows, chart, lineWidth, style }: SparkLinesOptions): string {
  const indexOf = (name: string): number => columns.findIndex((column) => column.name === name);
  const over = indexOf(chart.over);
  const slots = slotsOf(rows.map((row) => row[over] ?? ''));
  const series = new Map<
    string,
    { readonly column: Column; readonly values: (number | undefined)[]; largest: string }
  >();
  for (const row of rows) {
    const by = chart.by.map((name) =>
      humanCell(row[indexOf(name)] ?? '', columns[indexOf(name)] ?? NO_COLUMN),
    );
    for (const name of chart.values) {
      const column = columns[indexOf(name)] ?? NO_COLUMN;
      const label = [...by, ...(chart.values.length > 1 || by.length === 0 ? [name] : [])].join(' ');
      const line = series.get(label) ?? {
        column,
        values: Array<number | undefined>(slots.count),
        largest: '0',
      };
      series.set(label, line);
      const value = row[indexOf(name)] ?? '';
      if (value === '\\N') continue;
      line.values[slots.of(row[over] ?? '')] = Number(value);
      if (Number(value) >= Number(line.largest)) line.largest = value;
    }
  }
  const shown = [...series].slice(0, SERIES_MAX);
  const labelColumns = Math.min(LABEL_COLUMNS_MAX, Math.max(...shown.map(([label]) => widthOf(label))));
  const largest = shown.map(([, { column, largest }]) => `max ${humanCell(largest, column)}`);
  const sparkColumns = Math.max(8, lineWidth - labelColumns - Math.max(...largest.map(widthOf)) - 4);
  const lines = shown.map(([label, { values }], index) =>
    [
      pad(cut(label, labelColumns), labelColumns),
      pad(style('cyan', spark(squeezed(values, sparkColumns))), 0),
      style('dim', largest[index] ?? ''),
    ].join('  '),
  );
  if (series.size > shown.length) lines.push(style('dim', `and ${series.size - shown.length} more`));
  return `${lines.join('\n')}\n`;
}

const NO_COLUMN: Column = { name: '', type: '' };

/** Places on the axis: as far apart as the two nearest, so that a gap in time is a gap on the line. */
function slotsOf(texts: readonly string[]): { readonly count: number; of(text: string): number } {
  const distinct = [...new Set(texts)].toSorted();
  const times = distinct.map((text) => Date.parse(`${text.replace(' ', 'T')}Z`));
  const [first = 0] = times;
  const steps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  const step = Math.min(...steps);
  if (times.some(Number.isNaN) || steps.length === 0)
    return { count: distinct.length, of: (text) => distinct.indexOf(text) };
  const of = (text: string): number => Math.round((Date.parse(`${text.replace(' ', 'T')}Z`) - first) / step);
  return { count: of(distinct.at(-1) ?? '') + 1, of };
}

/** At most `columns` values: of neighbours the largest, so that no peak is lost. */
function squeezed(values: readonly (number | undefined)[], columns: number): readonly (number | undefined)[] {
  const each = Math.ceil(values.length / columns);
  return Array.from({ length: Math.ceil(values.length / each) }, (_, index) => {
    const told = values.slice(index * each, (index + 1) * each).filter((value) => value !== undefined);
    return told.length === 0 ? undefined : Math.max(...told);
  });
}
