/** Keys that hold a secret, and keys that name the file it stands in. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { configError, reasonOf } from './errors.ts';
import type { ConfigKey } from './keys.ts';
import { type Tree, valueAt, withValue } from './tree.ts';

/** What is shown of a secret that is not empty. */
export const SECRET_SHOWN = '(set)';

/** A text that no message and no `--print-config` shows. */
export function secret() {
  return z.string().default('').meta({ secret: true });
}

/** A file whose first line is the secret `key` of the same section; it wins over the key. '' = none. */
export function secretFile(key: string) {
  return z.string().default('').meta({ secretOf: key, rule: 'the path of a file' });
}

/** `config` with every secret that stands in a file of its own. Throws CONFIG_SECRET_UNREADABLE. */
export function withSecretFiles(config: Tree, keys: readonly ConfigKey[]): Tree {
  let filled = config;
  for (const { name, path, secretPath } of keys) {
    const file = valueAt(config, path);
    if (secretPath && typeof file === 'string' && file !== '') {
      filled = withValue(filled, secretPath, firstLineOf(file, name));
    }
  }
  return filled;
}

/** Throws CONFIG_SECRET_UNREADABLE, which names the key `name`. */
export function firstLineOf(file: string, name: string): string {
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/, 1)[0] ?? '';
  } catch (error) {
    throw configError('CONFIG_SECRET_UNREADABLE', [name, file, reasonOf(error)], { cause: error });
  }
}

/** For `stringify`, which hands it every value, those within lists too. */
export function withoutLoginsIn(_: unknown, value: unknown): unknown {
  return typeof value === 'string' ? withoutLogins(value) : value;
}

/** `text` without what URLs carry to log in: token@, user:password@, with or without a scheme, and ?password=. */
export function withoutLogins(text: string): string {
  return text
    .replace(/\/\/[^\s/?#]+@/g, `//${SECRET_SHOWN}@`)
    .replace(/^[^\s/@:]+:[^\s/?#]+@/, `${SECRET_SHOWN}@`)
    .replace(/([?&](?:password|secret|token)=)[^&#\s]+/gi, `$1${SECRET_SHOWN}`);
}
