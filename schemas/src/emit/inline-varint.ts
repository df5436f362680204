/**
 * Statements that write a number as `varint.ts` does, in place: a call would cost more than the rest of it.
 *
 * They use the variables of `encodeEvent`: `out`, `p`, and `x` and `s` for what lies between.
 */

/** Bits of a number that four bytes hold, its zigzag form being one longer. */
const FOUR_BYTES_BITS = 27;
const MORE = '0x8080_8080';
/** Of four bytes that may be fewer: the last that is there has none. */
const MORE_MAYBE = '0x80_8080';

/** The unsigned number in variable `low`, or in it and the expression `high`. */
export function writeUnsigned(low: string, bits: number, high?: string): string[] {
  const spread = `x = ${zigzagSpread(low, bits)};`;
  const rest = `${low} >>> ${FOUR_BYTES_BITS}`;
  if (high !== undefined) {
    const long = [`p = writeWords(out, p, ${low}, ${high} | 0);`];
    return ifElse(`(${rest}) | ${high}`, long, [spread, ...writeSpread()]);
  }
  if (bits <= FOUR_BYTES_BITS) return [spread, ...writeSpread()];
  const five = [`out.setUint32(p, x | ${MORE}, true);`, `out.setUint8(p + 4, ${rest});`, 'p += 5;'];
  return [spread, ...ifElse(rest, five, writeSpread())];
}

/** The safe integer in variable `value`, which takes eight bytes if it is a time of our days in µs. */
export function writeMicroseconds(value: string): string[] {
  const eight = [
    `a = Math.floor(${value} / 2 ** ${FOUR_BYTES_BITS});`,
    `b = ${value} - a * 2 ** ${FOUR_BYTES_BITS};`,
    `out.setUint32(p, ${zigzagSpread('b', FOUR_BYTES_BITS)} | ${MORE}, true);`,
    `out.setUint32(p + 4, ${spread('a', 26)} | ${MORE_MAYBE}, true);`,
    'p += 8;',
  ];
  return ifElse(`${value} >= 2 ** 48 && ${value} < 2 ** 53`, eight, [`p = writeLong(out, p, ${value});`]);
}

/** What is spread in `x`, without a branch on the length: that of one field says nothing about that of the next. */
function writeSpread(): string[] {
  return [
    // Bits below the last byte that is not 0. The lowest of x never is set.
    's = (31 - Math.clz32(x | 1)) & 24;',
    `out.setUint32(p, x | (${MORE_MAYBE} & ((1 << s) - 1)), true);`,
    'p += (s >> 3) + 1;',
  ];
}

/** Seven bits in each byte, little end first: of the zigzag form, and of the number as it is. */
function zigzagSpread(name: string, bits: number): string {
  return spread(name, bits, 1);
}
function spread(name: string, bits: number, shift = 0): string {
  const parts: string[] = [];
  for (let from = 0, index = 0; from < bits && index < 4; index++) {
    const to = 7 * (index + 1) - shift;
    parts.push(`((${name} & 0x${(2 ** to - 2 ** from).toString(16)}) << ${index + shift})`);
    from = to;
  }
  return parts.join(' | ');
}

export function ifElse(condition: string, met: readonly string[], other: readonly string[]): string[] {
  const indent = (line: string): string => `  ${line}`;
  return [`if (${condition}) {`, ...met.map(indent), '} else {', ...other.map(indent), '}'];
}
