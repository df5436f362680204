/** The file of one part. */
import { readFileSync } from 'node:fs';
import { LineCounter, parseDocument, visit } from 'yaml';
import { configError, reasonOf } from './errors.ts';
import { isTree, type Tree } from './tree.ts';

/**
 * Keys of `file`; undefined when it is missing and not `required`. An empty file is one without keys.
 *
 * Throws CONFIG_MISSING, CONFIG_UNREADABLE, CONFIG_SYNTAX, CONFIG_NO_KEYS.
 */
export function readYamlFile(
  file: string,
  options: { readonly required: boolean; readonly firstKey: string },
): Tree | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const isMissing = reasonOf(error) === 'ENOENT';
    if (isMissing && !options.required) return undefined;
    if (isMissing) throw configError('CONFIG_MISSING', [file], { cause: error });
    throw configError('CONFIG_UNREADABLE', [file, reasonOf(error)], { cause: error });
  }
  const tree = parsed(text, file) ?? {};
  if (isTree(tree)) return tree;
  throw configError('CONFIG_NO_KEYS', [file, options.firstKey]);
}

function parsed(text: string, file: string): unknown {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  const refuse = (problem: string, offset: number, cause?: unknown): never => {
    const line = String(lines.linePos(offset).line);
    throw configError('CONFIG_SYNTAX', [file, line, problem], { cause });
  };
  const [error] = document.errors;
  if (error) refuse(SENTENCES[error.code] ?? error.message, error.pos[0], error);
  visit(document, {
    // Not by its name: it may be a password that lacks its quotes.
    Alias(_, alias) {
      if (!alias.resolve(document)) refuse('a text that begins with * needs quotes', alias.range?.[0] ?? 0);
    },
  });
  return document.toJS();
}

/** Where the library's own message speaks to a programmer. */
const SENTENCES: Readonly<Record<string, string>> = {
  MULTIPLE_DOCS: 'a second document begins',
  DUPLICATE_KEY: 'this key stands twice',
};
