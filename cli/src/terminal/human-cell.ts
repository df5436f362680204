/** One value of an answer as people read it on a terminal; what it is says the name and type of its column. */
import { basename } from 'node:path';
import { bytes, duration } from './human.ts';
import { type Column, cell } from './table.ts';

const NUMBER = /U?Int|Float/;
/** Where programs are installed; of those elsewhere the whole path is what there is to see. */
const INSTALLED = /^\/(usr|bin|sbin|lib|opt|nix|snap)\//;

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
  return name === 'executable' && INSTALLED.test(text) ? basename(text) : text;
}

export const isTime = ({ type }: Column): boolean => /^(Nullable\()?DateTime/.test(type);

/** `2026-11-28 10:57:48.708123` → `11-28 10:57:48` in its year; the begin of a bin without seconds. */
function time(value: string, type: string): string {
  if (value.startsWith('1970-')) return '-';
  const isOfNow = value.startsWith(String(new Date().getUTCFullYear()));
  return value.slice(isOfNow ? 'YYYY-'.length : 0, type.includes('DateTime64') ? 19 : 16);
}
