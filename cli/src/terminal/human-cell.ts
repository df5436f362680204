/** One value of an answer as people read it on a terminal; what it is says the name and type of its column. */
import { basename } from 'node:path';
import { bytes, duration } from './human.ts';
import { type Column, cell } from './table.ts';

const NUMBER = /U?Int|Float/;

/** `value` and the result are TabSeparated values. `bytes_sent` → `1.50 KiB`, `handshake_us_max` → `12.3 ms`. */
export function humanCell(value: string, column: Column): string {
  const { name, type } = column;
  if (value === '\\N') return '-';
  if (isTime(column)) return time(value, type);
  if (NUMBER.test(type) && !type.startsWith('Array')) {
    const number = Number(value);
    if (/(^|_)us(_|$)/.test(name)) return duration(Math.round(number));
    if (/(^|_)bytes(_|$)/.test(name)) return bytes(Math.round(number));
  }
  const text = cell(value, type);
  return name === 'executable' ? basename(text) : text;
}

export const isTime = ({ type }: Column): boolean => /^(Nullable\()?DateTime/.test(type);

/** `2026-11-28 10:57:48.708123` → `11-28 10:57:48`; the begin of a bin without seconds. */
function time(value: string, type: string): string {
  if (value.startsWith('1970-')) return '-';
  return value.slice('2026-'.length, type.includes('DateTime64') ? 19 : 16);
}
