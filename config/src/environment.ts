/**
 * The layer above the file: `TCPTRAIL_` and the key's path in capitals, words and levels parted by `_`.
 *
 * Parts share one environment, so a variable that names no key of this part is no error.
 */
import { closest } from './closest.ts';
import type { ConfigKey, ValueKind } from './keys.ts';
import { type Tree, withValue } from './tree.ts';

const PREFIX = 'TCPTRAIL_';

export type Environment = Readonly<Record<string, string | undefined>>;

/** `tree` with every variable of `keys` laid over it, each text read as the type of its key. */
export function withEnvironment(tree: Tree, keys: readonly ConfigKey[], env: Environment): Tree {
  let merged = tree;
  for (const key of keys) {
    const text = env[key.variable];
    if (text !== undefined) merged = withValue(merged, key.path, readAs(text, key));
  }
  return merged;
}

/** Variables that name keys, in the order of `keys`. */
export function variablesIn(keys: readonly ConfigKey[], env: Environment): readonly string[] {
  return keys.map(({ variable }) => variable).filter((variable) => env[variable] !== undefined);
}

export interface Misspelt {
  readonly variable: string;
  /** What was probably meant. */
  readonly near: string;
}

/** Variables that name no key but come near one, sorted. All others are left to other parts. */
export function misspeltIn(keys: readonly ConfigKey[], env: Environment): readonly Misspelt[] {
  const known = keys.map(({ variable }) => variable.slice(PREFIX.length));
  return Object.keys(env)
    .filter((variable) => variable.startsWith(PREFIX))
    .map((variable) => variable.slice(PREFIX.length))
    .filter((name) => !known.includes(name))
    .toSorted()
    .flatMap((name) => {
      const near = closest(name, known);
      return near === undefined ? [] : [{ variable: PREFIX + name, near: PREFIX + near }];
    });
}

function readAs(text: string, { kind, itemKind }: ConfigKey): unknown {
  if (kind !== 'list') return scalarOf(text, kind);
  if (itemKind === 'section') return jsonOf(text);
  return text.trim() === '' ? [] : text.split(',').map((item) => scalarOf(item.trim(), itemKind));
}

/** A text that is no JSON stays as it is, for the schema to refuse. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** A text that is not of its kind stays as it is, for the schema to refuse. */
function scalarOf(text: string, kind: ValueKind): unknown {
  if (kind === 'integer' && /^-?\d+$/.test(text)) return Number(text);
  if (kind === 'number' && /^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  if (kind === 'boolean' && /^(true|false)$/i.test(text)) return text.toLowerCase() === 'true';
  return text;
}
