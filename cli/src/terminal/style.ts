/** Colours of the terminal: a style is off where the stream is no terminal, or NO_COLOR is set. */

const CODES = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  magenta: [35, 39],
  cyan: [36, 39],
} as const;

export type Colour = keyof typeof CODES;
/** Gives `text` a colour, or leaves it as it is. */
export type Style = (colour: Colour, text: string) => string;

export const plain: Style = (_colour, text) => text;

const coloured: Style = (colour, text) => {
  const [on, off] = CODES[colour];
  return text === '' ? '' : `\u001b[${on}m${text}\u001b[${off}m`;
};

/** Style for `stream`; NO_COLOR (any value but empty) and TERM=dumb turn colours off. */
export function styleFor(
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>> = process.env,
): Style {
  const wanted = stream.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  return wanted ? coloured : plain;
}
