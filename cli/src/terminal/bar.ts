/** Bars and spark lines out of block characters. */

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
const LEVELS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/** `share` of `columns`, in eighths; what is more than nothing shows. A share that is no number, or below 0, is ''. */
export function bar(share: number, columns: number): string {
  if (!(share > 0)) return '';
  const eighths = Math.max(1, Math.round(Math.min(share, 1) * columns * 8));
  return '█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? '');
}

/** One character a value, from 0 to the largest; a space where there is none. */
export function spark(values: readonly (number | undefined)[]): string {
  const largest = Math.max(...values.filter((value) => value !== undefined), 0);
  return values
    .map((value) => {
      if (value === undefined) return ' ';
      const level = largest === 0 ? 0 : Math.round((Math.max(value, 0) / largest) * (LEVELS.length - 1));
      return LEVELS[level] ?? '';
    })
    .join('');
}
