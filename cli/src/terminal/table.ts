/**
 * Rows as an aligned table, written while they arrive.
 *
 * Widths come from the first rows (`sampleRows`) and only grow later, so a result of any size takes constant
 * memory. Numbers are right-aligned. On a terminal the widest text columns are cut so that a row fits its line.
 */
import { plain, type Style } from './style.ts';
import { cut, pad, printable, widthOf } from './width.ts';

export interface Column {
  readonly name: string;
  /** ClickHouse type. */
  readonly type: string;
  /** Text that is never cut; numbers never are. */
  readonly isWhole?: boolean;
}

export interface TableOptions {
  readonly columns: readonly Column[];
  /** Columns of the terminal; undefined: rows are never cut. */
  readonly lineWidth?: number | undefined;
  readonly style?: Style;
  readonly sampleRows?: number;
}

export interface Table {
  /** `row` as TabSeparated values. Text to print now, '' while widths are still being measured. Each text ends in a line feed. */
  push(row: readonly string[]): string;
  /** The rest; without any row the head alone. */
  end(): string;
}

const GAP = '  ';
const COLUMN_MIN = 8;
const NUMBER = /^(?:Nullable\()?(?:U?Int\d+|Float\d+|BFloat16|Decimal)/;

export function createTable(options: TableOptions): Table {
  const { columns, lineWidth, style = plain, sampleRows = 1_000 } = options;
  const numeric = columns.map(isNumber);
  const waiting: string[][] = [];
  let widths: number[] | undefined;

  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) => {
        const width = widths?.[index] ?? 0;
        const last = index === cells.length - 1;
        const shown = lineWidth === undefined ? cell : cut(cell, width);
        if (numeric[index]) return pad(shown, width, 'right');
        return last ? shown : pad(shown, width);
      })
      .join(GAP);

  const flush = (): string => {
    widths = columns.map((column, index) =>
      Math.max(widthOf(column.name), ...waiting.map((row) => widthOf(row[index] ?? ''))),
    );
    if (lineWidth !== undefined) shrink(widths, leastWidths(columns, waiting), lineWidth);
    const names = columns.map(({ name }, index) => cut(name, widths?.[index] ?? 0));
    const head = style('bold', line(names));
    const rule = style('dim', widths.map((width) => '─'.repeat(width)).join(GAP));
    const rows = waiting.splice(0).map(line);
    return `${[head, rule, ...rows].join('\n')}\n`;
  };

  return {
    push(row) {
      const cells = row.map((value, index) => cell(value, columns[index]?.type ?? ''));
      if (widths) {
        const grown = lineWidth === undefined ? cells.map(widthOf) : [];
        widths = widths.map((width, index) => Math.max(width, grown[index] ?? 0));
        return `${line(cells)}\n`;
      }
      waiting.push(cells);
      return waiting.length < sampleRows ? '' : flush();
    },
    end: () => (widths ? '' : flush()),
  };
}

const isNumber = ({ type }: Column): boolean => NUMBER.test(unwrapped(type));

/** Columns that each cell takes at least: numbers and what is whole are never cut, but their heads are, as other text is. */
function leastWidths(columns: readonly Column[], rows: readonly (readonly string[])[]): readonly number[] {
  return columns.map((column, index) => {
    const whole = column.isWhole === true || isNumber(column);
    return Math.max(COLUMN_MIN, ...(whole ? rows.map((row) => widthOf(row[index] ?? '')) : []));
  });
}

/** Columns that a line takes: whole, and with all cut that may be. */
export function lineWidthsOf(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): { readonly whole: number; readonly least: number } {
  const whole = columns.map(({ name }, index) =>
    Math.max(widthOf(name), ...rows.map((row) => widthOf(row[index] ?? ''))),
  );
  const least = leastWidths(columns, rows).map((width, index) => Math.min(width, whole[index] ?? 0));
  const sum = (widths: readonly number[]): number =>
    widths.reduce((all, width) => all + width, 0) + GAP.length * (columns.length - 1);
  return { whole: sum(whole), least: sum(least) };
}

/** Takes columns off the widest cells until a row fits. */
function shrink(widths: number[], least: readonly number[], lineWidth: number): void {
  let excess = widths.reduce((sum, width) => sum + width, 0) + GAP.length * (widths.length - 1) - lineWidth;
  while (excess > 0) {
    let widest = -1;
    for (let index = 0; index < widths.length; index++) {
      const width = widths[index] ?? 0;
      if (width > (least[index] ?? 0) && width > (widths[widest] ?? 0)) widest = index;
    }
    if (widest < 0) return;
    widths[widest] = (widths[widest] ?? 0) - 1;
    excess--;
  }
}

const unwrapped = (type: string): string => /^LowCardinality\((.*)\)$/.exec(type)?.[1] ?? type;

const MAPPED = /::ffff:(?=\d{1,3}(?:\.\d{1,3}){3})/gi;

/** One TabSeparated value as text: IPv4-mapped addresses short, control characters visible. */
export function cell(value: string, type: string): string {
  if (value === '\\N') return 'NULL';
  const text = printable(value.includes('\\') ? value.replace(/\\([\\'])/g, '$1') : value);
  return type.includes('IPv6') ? text.replace(MAPPED, '') : text;
}

const ESCAPED: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', b: '\b', f: '\f', '0': '\0' };

/** The text behind a TabSeparated value. */
export function unescapeTsv(value: string): string {
  return value.replace(/\\(.)/g, (_all, character: string) => ESCAPED[character] ?? character);
}
