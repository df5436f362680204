/** What a schema declares, key by key: the one list behind the environment, the messages and the documentation. */
import assert from 'node:assert/strict';
import { z } from 'zod';
import type { Tree } from './tree.ts';

/** A strict object of plain values, of lists of them or of strict objects, and of further strict objects. */
export type ConfigSchema = z.ZodObject;

export interface ConfigKey {
  readonly path: readonly string[];
  /** As a person writes it: `batch.rowsMax`. */
  readonly name: string;
  /** As the environment has it: `TCPTRAIL_BATCH_ROWS_MAX`; '' in an item of a list. */
  readonly variable: string;
  readonly kind: ValueKind;
  /** Of a list: its items. */
  readonly itemKind: ValueKind;
  /** Of a list of sections: the keys of each. */
  readonly itemKeys: readonly ConfigKey[];
  /** By value: what it sets, unless file or environment do. */
  readonly presets: Readonly<Record<string, Tree>>;
  /** Type and range, as in "give …". */
  readonly wanted: string;
  /** Of a list: the same of each item. */
  readonly itemWanted: string;
  /** Value when nobody gives one; undefined when there is none. */
  readonly fallback: unknown;
  readonly isRequired: boolean;
  readonly meaning: string;
  readonly isSecret: boolean;
  /** Path of the secret that stands in the file this key names. */
  readonly secretPath: readonly string[] | undefined;
  /** Whether a change is taken without a restart: its own mark, else its section's; undefined when there is none. */
  readonly isLive: boolean | undefined;
}

export type ValueKind = 'text' | 'integer' | 'number' | 'boolean' | 'list' | 'section';

/** A key as JSON Schema has it, with what `.meta()` of this project adds. */
interface Node {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly items?: Node;
  readonly minItems?: number;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly default?: unknown;
  readonly description?: string;
  readonly rule?: string;
  readonly presets?: Readonly<Record<string, Tree>>;
  readonly secret?: boolean;
  readonly secretOf?: string;
  readonly live?: boolean;
}

/** All keys in the order of the schema. A schema this project cannot read is a defect, and asserted. */
export function keysOf(schema: ConfigSchema): readonly ConfigKey[] {
  const keys = walk(z.toJSONSchema(schema, { io: 'input' }) as Node, []);
  for (const { name, secretPath } of keys) {
    if (!secretPath) continue;
    const secret = keys.find((key) => key.name === secretPath.join('.'));
    assert.ok(secret?.isSecret, `${name} is the file of ${secretPath.join('.')}, which is no secret`);
  }
  return keys;
}

/** Where the path of a value leads: into the sections of a list, there is one of their keys. */
export function withinItems(
  keys: readonly ConfigKey[],
  path: readonly PropertyKey[],
): { readonly keys: readonly ConfigKey[]; readonly path: readonly PropertyKey[] } {
  const list = keys.find(
    (key) => key.itemKeys.length > 0 && key.path.length < path.length && isAt(key, path),
  );
  return list ? { keys: list.itemKeys, path: path.slice(list.path.length + 1) } : { keys, path };
}

/** The value at `path` is the key's, or within it. */
export function isAt(key: ConfigKey, path: readonly PropertyKey[]): boolean {
  return key.path.every((name, level) => path[level] === name);
}

/** Names of the keys and sections right below the section at `path`; none when it is no section. */
export function namesBelow(keys: readonly ConfigKey[], path: readonly PropertyKey[]): readonly string[] {
  const names = keys
    .filter((key) => path.every((name, level) => key.path[level] === name))
    .flatMap((key) => key.path[path.length] ?? []);
  return [...new Set(names)];
}

function walk(section: Node, path: readonly string[], sectionLive = section.live): ConfigKey[] {
  return Object.entries(section.properties ?? {}).flatMap(([name, node]) => {
    const at = [...path, name];
    const isLive = node.live ?? sectionLive;
    if (node.properties) return walk(node, at, isLive);
    return [keyOf(node, at, { isRequired: section.required?.includes(name) ?? false, isLive })];
  });
}

function keyOf(
  node: Node,
  path: readonly string[],
  { isRequired, isLive }: Pick<ConfigKey, 'isRequired' | 'isLive'>,
): ConfigKey {
  const name = path.join('.');
  const item = node.items ?? node;
  return {
    path,
    name,
    variable: variableOf(path),
    kind: kindOf(node, name),
    itemKind: kindOf(item, name),
    itemKeys: node.items?.properties
      ? walk(node.items, [], isLive).map((key) => ({ ...key, variable: '' }))
      : [],
    presets: node.presets ?? {},
    wanted: node.rule ?? wantedOf(node),
    itemWanted: item.rule ?? wantedOf(item),
    fallback: node.default,
    isRequired,
    meaning: node.description ?? '',
    isSecret: node.secret ?? false,
    secretPath: node.secretOf === undefined ? undefined : [...path.slice(0, -1), node.secretOf],
    isLive,
  };
}

function variableOf(path: readonly string[]): string {
  const words = path.map((word) => word.replace(/[A-Z]/g, (capital) => `_${capital}`).toUpperCase());
  return ['TCPTRAIL', ...words].join('_');
}

const KINDS: Readonly<Record<string, ValueKind>> = {
  string: 'text',
  integer: 'integer',
  number: 'number',
  boolean: 'boolean',
  array: 'list',
  object: 'section',
};

function kindOf(node: Node, name: string): ValueKind {
  const kind = KINDS[node.type ?? ''];
  assert.ok(kind, `${name} is neither a text, a number, true or false, a list of these, nor a section`);
  return kind;
}

function wantedOf(node: Node): string {
  if (node.enum) return `one of ${node.enum.join(', ')}`;
  if (node.const !== undefined) return String(node.const);
  if (node.type === 'boolean') return 'true or false';
  if (node.type === 'object') return `with the keys ${Object.keys(node.properties ?? {}).join(', ')}`;
  if (node.type === 'array') return listWanted(node);
  if (node.type === 'string') return textWanted(node);
  return `${node.type === 'integer' ? 'a whole number' : 'a number'}${range(node)}`;
}

function listWanted({ items = {}, minItems = 0 }: Node): string {
  return `a list${minItems === 0 ? '' : ` of at least ${minItems}`}, each ${items.rule ?? wantedOf(items)}`;
}

function textWanted({ format, minLength = 0, maxLength }: Node): string {
  const what = format === 'uri' ? 'a URL' : 'a text';
  if (maxLength === undefined) return minLength === 0 ? what : `${what} that is not empty`;
  return `${what} of ${minLength === 0 ? 'at most' : `${minLength} to`} ${maxLength} characters`;
}

function range(node: Node): string {
  // Whole numbers have these limits when the schema sets none.
  const from = node.minimum === Number.MIN_SAFE_INTEGER ? undefined : node.minimum;
  const to = node.maximum === Number.MAX_SAFE_INTEGER ? undefined : node.maximum;
  if (from !== undefined && to !== undefined) return ` from ${from} to ${to}`;
  if (from !== undefined) return ` of at least ${from}`;
  return to === undefined ? '' : ` of at most ${to}`;
}
