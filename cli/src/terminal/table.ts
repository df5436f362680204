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
    if (lineWidth !== undefined) shrink(widths, columns.map(isUncut), lineWidth);
    const head = style('bold', line(columns.map((column) => column.name)));
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

/** Columns that a line takes at least: numbers whole, text cut as short as it may be. */
export function leastWidth(columns: readonly Column[], rows: readonly (readonly string[])[]): number {
  const least = columns.map((column, index) => {
    const whole = Math.max(widthOf(column.name), ...rows.map((row) => widthOf(row[index] ?? '')));
    return isUncut(column) ? whole : Math.min(whole, COLUMN_MIN);
  });
  return least.reduce((sum, width) => sum + width, 0) + GAP.length * (columns.length - 1);
}

const isNumber = ({ type }: Column): boolean => NUMBER.test(unwrapped(type));
const isUncut = (column: Column): boolean => column.isWhole === true || isNumber(column);

/** Takes columns off the widest text cells until a row fits. */
function shrink(widths: number[], uncut: readonly boolean[], lineWidth: number): void {
  let excess = widths.reduce((sum, width) => sum + width, 0) + GAP.length * (widths.length - 1) - lineWidth;
  while (excess > 0) {
    let widest = -1;
    for (let index = 0; index < widths.length; index++) {
      const width = widths[index] ?? 0;
      if (!uncut[index] && width > COLUMN_MIN && width > (widths[widest] ?? 0)) widest = index;
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
