/** An address in text as the 16 bytes that the record has of it: IPv4 is v4-mapped. */
import { isIP } from 'node:net';

const BYTES = 16;

/** Writes them at `at` of `out`; false, and nothing is written, when the text is no address. */
export function writeAddress(text: string, out: Uint8Array, at: number): boolean {
  const version = text.includes('%') ? 0 : isIP(text);
  if (version === 0) return false;
  out.fill(0, at, at + BYTES);
  if (version === 4) {
    out.fill(0xff, at + 10, at + 12);
    writeDotted(text, out, at + 12);
  } else writeColons(text, out, at);
  return true;
}

function writeDotted(text: string, out: Uint8Array, at: number): void {
  for (const [index, number] of text.split('.').entries()) out[at + index] = Number(number);
}

function writeColons(text: string, out: Uint8Array, at: number): void {
  const [head = '', tail = ''] = text.split('::');
  const before = head === '' ? [] : head.split(':');
  const behind = tail === '' ? [] : tail.split(':');
  writeWords(before, out, at);
  writeWords(behind, out, at + BYTES - widthOf(behind));
}

function writeWords(words: readonly string[], out: Uint8Array, from: number): void {
  let at = from;
  for (const word of words) {
    if (word.includes('.')) writeDotted(word, out, at);
    else {
      const value = Number.parseInt(word, 16);
      out[at] = value >>> 8;
      out[at + 1] = value;
    }
    at += word.includes('.') ? 4 : 2;
  }
}

function widthOf(words: readonly string[]): number {
  return words.reduce((bytes, word) => bytes + (word.includes('.') ? 4 : 2), 0);
}
