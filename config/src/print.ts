/** What `--print-config` says: the configuration in force. */
import { stringify } from 'yaml';
import { type ConfigSchema, keysOf } from './keys.ts';
import type { ConfigOf } from './load.ts';
import { SECRET_SHOWN, withoutUrlPassword } from './secret.ts';
import { type Tree, valueAt, withValue } from './tree.ts';

/** `config` as YAML. Read again it gives the same, except that a secret is `(set)`. */
export function printConfig<Schema extends ConfigSchema>(schema: Schema, config: ConfigOf<Schema>): string {
  let shown: Tree = { ...config };
  for (const { path, isSecret } of keysOf(schema)) {
    const value = valueAt(config, path);
    if (typeof value !== 'string' || value === '') continue;
    shown = withValue(shown, path, isSecret ? SECRET_SHOWN : withoutUrlPassword(value));
  }
  return stringify(shown, { lineWidth: 0 });
}
