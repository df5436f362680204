/**
 * The configuration of one part: defaults, presets, its YAML file, then the environment; parsed once, here.
 *
 * The schema is strict and is all there is to say about a key: type, range, default, `.describe()` and `.meta()`.
 */
import type { z } from 'zod';
import { type Environment, variablesIn, withEnvironment } from './environment.ts';
import { type ConfigKey, type ConfigSchema, keysOf, namesBelow } from './keys.ts';
import { problemOf } from './problem.ts';
import { withSecretFiles } from './secret.ts';
import { isTree, laidOver, type Tree, valueAt } from './tree.ts';
import { readYamlFile } from './yaml-file.ts';

type DeepReadonly<T> = T extends object ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> } : T;

/** What a schema, or a section of one, gives: read only at every level. */
export type ConfigOf<Schema extends z.ZodType> = DeepReadonly<z.infer<Schema>>;

export interface ConfigSource {
  /** Name of the part: `agent`. */
  readonly part: string;
  /** Absent: the part's own, which need not exist. */
  readonly file?: string | undefined;
  /** A missing file is an error. Absent: when `file` was given. */
  readonly required?: boolean;
  /** A file without keys is an error too. */
  readonly keysRequired?: boolean;
  readonly env: Environment;
}

export interface Loaded<Config> {
  readonly config: Config;
  /** The file that was read; undefined when there was none. */
  readonly file: string | undefined;
  /** Variables that stand over it. */
  readonly variables: readonly string[];
  /**
   * For the next time: what was there must be there still. A file that somebody empties, or writes just then, would
   * else turn off filters and privacy.
   */
  readonly again: ConfigSource;
}

export function configFileOf(part: string): string {
  return `/etc/tcptrail/${part}.yaml`;
}

/** Throws CONFIG_* with exit code 2. */
export function loadConfig<Schema extends ConfigSchema>(
  schema: Schema,
  source: ConfigSource,
): ConfigOf<Schema> {
  return loadFrom(schema, source).config;
}

/** As `loadConfig`, and says where it came from. */
export function loadFrom<Schema extends ConfigSchema>(
  schema: Schema,
  source: ConfigSource,
): Loaded<ConfigOf<Schema>> {
  const { part, file = configFileOf(part), required = source.file !== undefined, env } = source;
  const keys = keysOf(schema);
  const variables = variablesIn(keys, env);
  const must = source.keysRequired ? 'hold' : required ? 'exist' : 'nothing';
  const read = readYamlFile(file, { must, firstKey: namesBelow(keys, [])[0] ?? 'key' });
  const given = withEnvironment(withoutEmptySections(read ?? {}, keys), keys, env);
  // Before the schema, which may say what a secret must be.
  const tree = withSecretFiles(withPresets(given, keys), keys);
  const parsed = schema.safeParse(tree);
  if (!parsed.success) throw problemOf(parsed.error.issues, { keys, file, variables, tree });
  const again = {
    ...source,
    required: required || read !== undefined,
    keysRequired: Object.keys(read ?? {}).length > 0,
  };
  return { config: parsed.data as ConfigOf<Schema>, file: read && file, variables, again };
}

/** With what a value such as `profile: fleet` sets, below what was given. */
function withPresets(tree: Tree, keys: readonly ConfigKey[]): Tree {
  return keys.reduce((below, { path, presets }) => {
    const preset = presets[String(valueAt(tree, path))];
    return preset ? laidOver(preset, below) : below;
  }, tree);
}

/** A section of which only the name stands, or all keys are comments, is one that was not given. */
function withoutEmptySections(tree: Tree, keys: readonly ConfigKey[], path: readonly string[] = []): Tree {
  const kept = Object.entries(tree).flatMap(([name, value]) => {
    const at = [...path, name];
    if (value === null && namesBelow(keys, at).length > 0) return [];
    return [[name, isTree(value) ? withoutEmptySections(value, keys, at) : value]];
  });
  return Object.fromEntries(kept);
}
