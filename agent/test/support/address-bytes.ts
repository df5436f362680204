/** The 16 bytes of an address, IPv4 v4-mapped. */
import { isIPv4 } from 'node:net';

export function bytesOf(address: string): Uint8Array {
  const bytes = new Uint8Array(16);
  if (isIPv4(address)) {
    bytes.set([0xff, 0xff, ...address.split('.').map(Number)], 10);
    return bytes;
  }
  const [head = '', tail] = address.split('::');
  const wordsOf = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((word) => Number.parseInt(word, 16));
  const [before, after] = [wordsOf(head), wordsOf(tail ?? '')];
  const words = [...before, ...new Array(8 - before.length - after.length).fill(0), ...after];
  for (const [index, word] of words.entries()) bytes.set([word >> 8, word & 0xff], 2 * index);
  return bytes;
}
