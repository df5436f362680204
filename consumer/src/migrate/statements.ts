/** A file's statements: split at `;` outside of quotes and comments, comments kept. Pure. */

const PIECES =
  /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\[\s\S]|''|[^'\\])*'|`(?:\\[\s\S]|[^`\\])*`|"(?:\\[\s\S]|[^"\\])*"|;|[^;'"`/-]+|[/'"`-]/g;

export function statementsOf(sql: string): readonly string[] {
  const statements: string[] = [];
  let text = '';
  let hasCode = false;
  const end = (): void => {
    if (hasCode) statements.push(text.trim());
    text = '';
    hasCode = false;
  };
  for (const [piece] of sql.matchAll(PIECES)) {
    if (piece === ';') {
      end();
      continue;
    }
    text += piece;
    hasCode ||= piece.trim() !== '' && !piece.startsWith('--') && !piece.startsWith('/*');
  }
  end();
  return statements;
}
