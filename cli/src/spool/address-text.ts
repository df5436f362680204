/** An address of 16 bytes as ClickHouse writes an IPv6: RFC 5952, and dotted behind the IPv4 prefixes. */

/** Of the 16 bytes at `at`. */
export function addressText(bytes: Uint8Array, at: number): string {
  const byte = (index: number): number => bytes[at + index] ?? 0;
  const words = Array.from({ length: 8 }, (_, index) => byte(2 * index) * 256 + byte(2 * index + 1));
  const zeros = longestZeros(words);
  const isDotted = zeros.from === 0 && (zeros.length === 6 || (zeros.length === 5 && words[5] === 0xffff));
  const tail = isDotted ? [Array.from({ length: 4 }, (_, index) => byte(12 + index)).join('.')] : [];
  const texts = words.slice(0, isDotted ? 6 : 8).map((word) => word.toString(16));
  if (zeros.length < 2) return texts.join(':');
  const behind = [...texts.slice(zeros.from + zeros.length), ...tail].join(':');
  return `${texts.slice(0, zeros.from).join(':')}::${behind}`;
}

/** The first of the longest runs of zero words. */
function longestZeros(words: readonly number[]): { readonly from: number; readonly length: number } {
  let best = { from: 0, length: 0 };
  let length = 0;
  for (const [index, word] of words.entries()) {
    length = word === 0 ? length + 1 : 0;
    if (length > best.length) best = { from: index + 1 - length, length };
  }
  return best;
}
