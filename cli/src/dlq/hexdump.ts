/** Bytes as people look at them: offset, sixteen in hexadecimal, the same as characters. */

const WIDTH = 16;

/** The lines around `at`, with so many `bytes` before and after; the byte itself stands in brackets. */
export function hexdump(
  value: Uint8Array,
  { at, bytes }: { readonly at: number; readonly bytes: number },
): string {
  const marked = Math.min(at, value.length);
  const from = Math.floor(Math.max(0, marked - bytes) / WIDTH) * WIDTH;
  const to = Math.min(value.length, marked + bytes);
  const lines: string[] = [];
  for (let line = from; line < to || line === from; line += WIDTH) {
    const row = [...value.subarray(line, Math.min(line + WIDTH, value.length))];
    const hex = row.map((byte, index) => {
      const text = byte.toString(16).padStart(2, '0');
      return line + index === marked ? `[${text}]` : ` ${text} `;
    });
    const text = row.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`${line.toString(16).padStart(8, '0')} ${hex.join('').padEnd(4 * WIDTH)} ${text}`);
  }
  if (marked === value.length)
    lines.push(`${marked.toString(16).padStart(8, '0')}  the end of ${marked} bytes`);
  return `${lines.join('\n')}\n`;
}
