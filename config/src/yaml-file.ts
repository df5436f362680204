/** The file of one part. */
import { readFileSync } from 'node:fs';
import { type ErrorCode, isAlias, LineCounter, type Node, parseDocument, visit } from 'yaml';
import { configError, reasonOf } from './errors.ts';
import { isTree, type Tree } from './tree.ts';

/** Of a file: be there, hold keys as well. */
export type Must = 'nothing' | 'exist' | 'hold';

/**
 * Keys of `file`; undefined when it is missing. An empty file is one without keys.
 *
 * `must` exist, or `hold` keys as well. Throws CONFIG_MISSING, CONFIG_EMPTIED, CONFIG_UNREADABLE, CONFIG_SYNTAX,
 * CONFIG_NO_KEYS.
 */
export function readYamlFile(
  file: string,
  options: { readonly must: Must; readonly firstKey: string },
): Tree | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const isMissing = reasonOf(error) === 'ENOENT';
    if (isMissing && options.must === 'nothing') return undefined;
    if (isMissing) throw configError('CONFIG_MISSING', [file], { cause: error });
    throw configError('CONFIG_UNREADABLE', [file, reasonOf(error)], { cause: error });
  }
  const tree = parsed(text, file) ?? {};
  if (!isTree(tree)) throw configError('CONFIG_NO_KEYS', [file, options.firstKey]);
  if (options.must === 'hold' && Object.keys(tree).length === 0) throw configError('CONFIG_EMPTIED', [file]);
  return tree;
}

/** Nothing that is refused here is repeated: it may be a password that lacks its quotes. */
function parsed(text: string, file: string): unknown {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  const refuse = (problem: string, offset = 0): never => {
    const { line, col } = lines.linePos(offset);
    throw configError('CONFIG_SYNTAX', [file, String(line), String(col), problem]);
  };
  const [error] = document.errors;
  if (error) refuse(KINDS[error.code], error.pos[0]);
  const unused = new Map<string, number | undefined>();
  visit(document, {
    Node(_, node) {
      if (isAlias(node)) return;
      // A text that begins so would be lost, wholly or up to its first blank.
      if (node.tag !== undefined) refuse('a text that begins with ! needs quotes', node.range?.[0]);
      if (node.anchor !== undefined) unused.set(node.anchor, node.range?.[0]);
    },
    Alias(_, alias, above) {
      const named = alias.resolve(document);
      if (!named) refuse('a text that begins with * needs quotes', alias.range?.[0]);
      if (above.includes(named as Node))
        refuse('this alias lies within what it stands for', alias.range?.[0]);
      unused.delete(alias.source);
    },
  });
  for (const offset of unused.values()) refuse('a text that begins with & needs quotes', offset);
  const [warning] = document.warnings;
  if (warning) refuse(KINDS[warning.code], warning.pos[0]);
  try {
    return document.toJS();
  } catch {
    return refuse('it holds too many aliases');
  }
}

/** The library's own messages repeat what stands there. */
const KINDS: Readonly<Record<ErrorCode, string>> = {
  ALIAS_PROPS: 'an alias can have neither anchor nor tag',
  BAD_ALIAS: 'a text that begins with * needs quotes',
  BAD_COLLECTION_TYPE: 'a text that begins with ! needs quotes',
  BAD_DIRECTIVE: 'a line that begins with % is not known here',
  BAD_DQ_ESCAPE: 'within " a \\ is written twice, or the text stands within \'',
  BAD_INDENT: 'it is not indented as what it belongs to',
  BAD_PROP_ORDER: 'anchor or tag stands in the wrong place',
  BAD_SCALAR_START: 'a text that begins with @, ` or % needs quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a second key, or ": " within a text, which needs quotes',
  BLOCK_IN_FLOW: 'within { } and [ ] nothing is written in lines',
  DUPLICATE_KEY: 'this key stands twice',
  IMPOSSIBLE: 'it cannot be read',
  KEY_OVER_1024_CHARS: 'a key has more than 1024 characters',
  MISSING_CHAR: 'a quote, a bracket, a colon or a comma is missing',
  MULTILINE_IMPLICIT_KEY: 'no colon ends this key',
  MULTIPLE_ANCHORS: 'a text that begins with & needs quotes',
  MULTIPLE_DOCS: 'a second document begins',
  MULTIPLE_TAGS: 'a text that begins with ! needs quotes',
  NON_STRING_KEY: 'a key is no text',
  RESOURCE_EXHAUSTION: 'it is nested too deeply',
  TAB_AS_INDENT: 'a tab indents it; use blanks',
  TAG_RESOLVE_FAILED: 'a text that begins with ! needs quotes',
  UNEXPECTED_TOKEN: 'this does not belong here; a text with such characters needs quotes',
};
