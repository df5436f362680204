import { type Token, tokenize } from './tokens.ts';

/**
 * What has to be known of a statement to run it over HTTP; all else is the engine's to judge.
 *
 * - `read`: has a result set and changes nothing; `formatStart` is where `INTO OUTFILE` goes.
 * - `insert_data`: `INSERT` whose rows follow it in bytes; `dataStart` is their first byte.
 * - `session`: `SET`, `USE`, temporary tables: leave a mark on the connection.
 */
export interface Statement {
  readonly kind: 'read' | 'insert_data' | 'kill' | 'session' | 'other';
  /** All tokens up to the end (for `insert_data` up to `dataStart`), without the closing `;`. */
  readonly tokens: readonly Token[];
  /** Offset after the last token. */
  readonly end: number;
  /** `FORMAT name` written in the statement. */
  readonly format?: string;
  /** Where a clause that precedes `FORMAT` (for `insert_data` also `SETTINGS`) belongs. */
  readonly clauseStart: number;
  /** `insert_data`: `values` for `VALUES` written out, `format` for `FORMAT name`, `bare` for neither. */
  readonly data?: 'values' | 'format' | 'bare';
  readonly dataStart?: number;
  /** A second statement follows a `;`. */
  readonly several: boolean;
  /** `INTO OUTFILE` or `FROM INFILE`: files of the machine that runs the client, of which HTTP has none. */
  readonly usesClientFile: boolean;
}

const READS = new Set(['SELECT', 'FROM', 'SHOW', 'DESCRIBE', 'DESC', 'EXPLAIN', 'EXISTS', '(']);

/** Parses `source` (one byte a character). Never throws: what it cannot place is `other`. */
export function parseStatement(source: string): Statement {
  const lexemes = tokenize(source);
  const first = lexemes.next();
  if (first.done) return summary('other', [], { several: false });
  if (upper(first.value) === 'INSERT') return parseInsert(source, first.value, lexemes);

  const { tokens, several } = upToSemicolon([first.value], lexemes);
  const head = upper(first.value);
  if (head === 'KILL') return summary('kill', tokens, { several, ...outputFormat(tokens) });
  const isTemporary = upper(tokens[1]) === 'TEMPORARY' || upper(tokens[3]) === 'TEMPORARY';
  if (head === 'SET' || head === 'USE' || isTemporary) return summary('session', tokens, { several });
  const reads = READS.has(head) || (head === 'WITH' && !topLevelWords(tokens).includes('INSERT'));
  return summary(reads ? 'read' : 'other', tokens, { several, ...outputFormat(tokens) });
}

/** Keywords are case-insensitive and never quoted. */
export function upper(token: Token | undefined): string {
  return token === undefined || token.kind === 'quoted' ? '' : token.text.toUpperCase();
}

interface Parts {
  readonly several: boolean;
  readonly format?: string;
  readonly clauseStart?: number;
  readonly data?: 'values' | 'format' | 'bare';
  readonly dataStart?: number;
}

function summary(kind: Statement['kind'], tokens: readonly Token[], parts: Parts): Statement {
  const end = tokens.at(-1)?.end ?? 0;
  const usesClientFile = tokens.some((token, i) => {
    const pair = `${upper(token)} ${upper(tokens[i + 1])}`;
    return (pair === 'INTO OUTFILE' || pair === 'FROM INFILE') && tokens[i + 2]?.kind === 'string';
  });
  return { kind, tokens, end, clauseStart: end, usesClientFile, ...parts };
}

function upToSemicolon(tokens: Token[], rest: Iterator<Token, void>): { tokens: Token[]; several: boolean } {
  for (let next = rest.next(); !next.done; next = rest.next()) {
    if (next.value.kind === 'mark' && next.value.text === ';') {
      let after = rest.next();
      while (!after.done && after.value.text === ';') after = rest.next();
      return { tokens, several: !after.done };
    }
    tokens.push(next.value);
  }
  return { tokens, several: false };
}

/** `FORMAT name` counts only where nothing but `SETTINGS …` can follow: a column may be called format. */
function outputFormat(tokens: readonly Token[]): { format?: string; clauseStart?: number } {
  for (let i = tokens.length - 2; i > 0; i--) {
    const [token, name, after] = [tokens[i], tokens[i + 1], tokens[i + 2]];
    if (token === undefined || name === undefined || upper(token) !== 'FORMAT') continue;
    const closes = after === undefined || upper(after) === 'SETTINGS';
    if (name.kind === 'word' && closes && tokens[i - 1]?.text !== '.')
      return { format: name.text, clauseStart: token.start };
  }
  return {};
}

function topLevelWords(tokens: readonly Token[]): string[] {
  let depth = 0;
  return tokens.flatMap((token) => {
    depth += depthStep(token);
    return depth === 0 && token.kind === 'word' ? [token.text.toUpperCase()] : [];
  });
}

function depthStep(token: Token): number {
  if (token.kind !== 'mark') return 0;
  return '([{'.includes(token.text) ? 1 : ')]}'.includes(token.text) ? -1 : 0;
}

/** `INSERT [INTO] [TABLE] [FUNCTION] target [(columns)] [SETTINGS …] (FORMAT name data | VALUES … | SELECT …)`. */
function parseInsert(source: string, insert: Token, lexemes: Generator<Token, void>): Statement {
  const tokens = [insert];
  let depth = 0;
  let clauseStart: number | undefined;
  let targetSeen = false;
  for (let next = lexemes.next(); !next.done; next = lexemes.next()) {
    const token = next.value;
    if (token.text === ';' && token.kind === 'mark') {
      const { several } = upToSemicolon([], lexemes);
      return summary('insert_data', tokens, {
        several,
        data: 'bare',
        dataStart: token.end,
        clauseStart: clauseStart ?? token.start,
      });
    }
    tokens.push(token);
    depth += depthStep(token);
    if (depth !== 0) continue;
    const word = upper(token);
    if (!targetSeen) {
      targetSeen =
        token.kind === 'quoted' || (token.kind === 'word' && !['INTO', 'TABLE', 'FUNCTION'].includes(word));
      continue;
    }
    if (token.kind !== 'word' || tokens.at(-2)?.text === '.') continue;
    if (word === 'SETTINGS') clauseStart ??= token.start;
    if (word === 'VALUES') {
      const from = { data: 'values', dataStart: token.end, clauseStart: clauseStart ?? token.start } as const;
      // The rows are SQL expressions: only their tokens tell a `;` between statements from one in a string.
      return summary('insert_data', tokens, { several: upToSemicolon([], lexemes).several, ...from });
    }
    if (word === 'FORMAT') {
      const name = lexemes.next();
      if (name.done) break;
      tokens.push(name.value);
      // What follows the name on its line is white space up to the first row; a next line is all data.
      const gap = /[ \t\r]*\n?/y;
      gap.lastIndex = name.value.end;
      const dataStart = name.value.end + (gap.exec(source)?.[0].length ?? 0);
      const isValues = name.value.text.toUpperCase() === 'VALUES';
      return summary('insert_data', tokens, {
        several: isValues && upToSemicolon([], lexemes).several,
        format: name.value.text,
        data: 'format',
        dataStart,
        clauseStart: clauseStart ?? token.start,
      });
    }
    if (word === 'SELECT' || word === 'WITH' || word === 'FROM' || word === 'WATCH') {
      const rest = upToSemicolon(tokens, lexemes);
      return summary('other', rest.tokens, { several: rest.several });
    }
  }
  const end = tokens.at(-1)?.end ?? 0;
  const inParentheses = tokens.some(
    (t, i) => t.text === '(' && ['SELECT', 'WITH'].includes(upper(tokens[i + 1])),
  );
  if (inParentheses) return summary('other', tokens, { several: false });
  return summary('insert_data', tokens, {
    several: false,
    data: 'bare',
    dataStart: end,
    clauseStart: clauseStart ?? end,
  });
}
