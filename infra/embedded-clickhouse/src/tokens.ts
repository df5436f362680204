/** One lexeme of ClickHouse SQL. `text` is the decoded name for `quoted`, the source otherwise. */
export interface Token {
  readonly kind: 'word' | 'quoted' | 'string' | 'number' | 'mark';
  readonly text: string;
  /** Offsets in characters of the source. */
  readonly start: number;
  readonly end: number;
}

const SPACE_OR_COMMENT = /(?:[\s\0]+|--[^\n]*|#[ !][^\n]*|\/\*[\s\S]*?(?:\*\/|$))+/y;
const WORD = /[A-Za-z_][A-Za-z0-9_$]*/y;
const NUMBER = /[0-9](?:[eE][+-][0-9]|[A-Za-z0-9_.])*/y;
const HEREDOC = /\$[A-Za-z0-9_]*\$/y;
const QUOTES: readonly {
  readonly open: string;
  readonly close: string;
  readonly kind: 'string' | 'quoted';
}[] = [
  { open: "'", close: "'", kind: 'string' },
  { open: '`', close: '`', kind: 'quoted' },
  { open: '"', close: '"', kind: 'quoted' },
  // ClickHouse takes typographic quotes too; the source is Latin-1, so each is its three UTF-8 bytes.
  { open: '\xe2\x80\x98', close: '\xe2\x80\x99', kind: 'string' },
  { open: '\xe2\x80\x9c', close: '\xe2\x80\x9d', kind: 'quoted' },
];

/**
 * Lexemes of `source` one by one, comments and white space left out.
 *
 * `source` holds one byte a character (Latin-1), so that offsets are byte offsets and a binary body after
 * the statement does no harm: nothing past the last token asked for is looked at. A quote that is never
 * closed reaches to the end.
 */
export function* tokenize(source: string): Generator<Token, void, undefined> {
  let at = 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(source)?.[0];
  };
  for (;;) {
    at += match(SPACE_OR_COMMENT)?.length ?? 0;
    if (at >= source.length) return;
    const start = at;
    const quote = QUOTES.find((q) => source.startsWith(q.open, at));
    if (quote !== undefined) {
      at = endOfQuote(source, at + quote.open.length, quote.close);
      const inner = source.slice(start + quote.open.length, Math.max(at - quote.close.length, start + 1));
      const text = quote.kind === 'quoted' ? withoutEscapes(inner, quote.close) : source.slice(start, at);
      yield { kind: quote.kind, text, start, end: at };
      continue;
    }
    const heredoc = match(HEREDOC);
    if (heredoc !== undefined) {
      const close = source.indexOf(heredoc, at + heredoc.length);
      at = close < 0 ? source.length : close + heredoc.length;
      yield { kind: 'string', text: source.slice(start, at), start, end: at };
      continue;
    }
    const word = match(WORD);
    const text = word ?? match(NUMBER) ?? source.charAt(at);
    at += text.length;
    const kind = word !== undefined ? 'word' : /[0-9]/.test(text.charAt(0)) ? 'number' : 'mark';
    yield { kind, text, start, end: at };
  }
}

function endOfQuote(source: string, from: number, close: string): number {
  for (let at = from; at < source.length; at++) {
    if (source[at] === '\\') at++;
    else if (source.startsWith(close, at)) {
      if (!source.startsWith(close, at + close.length)) return at + close.length;
      at += 2 * close.length - 1;
    }
  }
  return source.length;
}

function withoutEscapes(inner: string, close: string): string {
  return inner
    .replaceAll(close + close, close)
    .replace(/\\(?:x([0-9A-Fa-f]{2})|([\s\S]))/g, (_, hex: string | undefined, plain: string | undefined) =>
      hex !== undefined ? String.fromCharCode(Number.parseInt(hex, 16)) : (plain ?? ''),
    );
}

/** `value` as a single-quoted SQL string. */
export function quoteString(value: string): string {
  return `'${value.replace(/[\\']/g, '\\$&')}'`;
}
