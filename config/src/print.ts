/** What `--print-config` says: the configuration in force. */
import { stringify } from 'yaml';
import { type ConfigSchema, keysOf } from './keys.ts';
import type { ConfigOf } from './load.ts';
import { SECRET_SHOWN, withoutLoginsIn } from './secret.ts';
import { type Tree, valueAt, withValue } from './tree.ts';

/** `config` as YAML. Read again it gives the same, except that a secret is `(set)`. */
export function printConfig<Schema extends ConfigSchema>(schema: Schema, config: ConfigOf<Schema>): string {
  let shown: Tree = { ...config };
  for (const { path, isSecret } of keysOf(schema)) {
    if (isSecret && valueAt(config, path) !== '') shown = withValue(shown, path, SECRET_SHOWN);
  }
  return stringify(shown, withoutLoginsIn, { lineWidth: 0 });
}
