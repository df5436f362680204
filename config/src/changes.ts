/** What a configuration that was read again would change. */
import { isDeepStrictEqual } from 'node:util';
import { type ConfigSchema, keysOf } from './keys.ts';
import type { ConfigOf } from './load.ts';
import { type Tree, valueAt, withValue } from './tree.ts';

export interface Changes<Config> {
  /** `before` with the new values of its live keys: what is in force from now on. */
  readonly config: Config;
  /** Names of the keys that changed and are live. */
  readonly taken: readonly string[];
  /** Names of the others that changed: the next start takes them. */
  readonly waiting: readonly string[];
}

/** Both as `loadConfig` gives them. A key without a mark is not live. */
export function changesOf<Schema extends ConfigSchema>(
  schema: Schema,
  before: ConfigOf<Schema>,
  after: ConfigOf<Schema>,
): Changes<ConfigOf<Schema>> {
  const changed = keysOf(schema).filter(
    ({ path }) => !isDeepStrictEqual(valueAt(before, path), valueAt(after, path)),
  );
  const live = changed.filter(({ isLive }) => isLive);
  let config: Tree = { ...before };
  for (const { path } of live) config = withValue(config, path, valueAt(after, path));
  return {
    config: config as ConfigOf<Schema>,
    taken: live.map(({ name }) => name),
    waiting: changed.filter(({ isLive }) => !isLive).map(({ name }) => name),
  };
}

/** One sentence for the log. */
export function sentenceOf({ taken, waiting }: Omit<Changes<unknown>, 'config'>): string {
  const parts = [
    ...(taken.length > 0 ? [`in force now: ${taken.join(', ')}`] : []),
    ...(waiting.length > 0 ? [`takes effect at the next start: ${waiting.join(', ')}`] : []),
  ];
  return `configuration read again; ${parts.join('; ') || 'nothing changed'}`;
}
