/** What `--check` says of a configuration that is right. */
import { misspeltIn } from './environment.ts';
import { type ConfigSchema, keysOf } from './keys.ts';
import { type ConfigSource, loadFrom } from './load.ts';

/** One line, and one more for each variable that is probably misspelt. Throws as `loadConfig`. */
export function checkReport(schema: ConfigSchema, source: ConfigSource): string {
  const { file = 'defaults', variables } = loadFrom(schema, source);
  const over = variables.length === 0 ? '' : `, under ${variables.join(', ')}`;
  const ignored = misspeltIn(keysOf(schema), source.env).map(
    ({ variable, near }) => `ignored: ${variable} names no key; did you mean ${near}?\n`,
  );
  return `${source.part} configuration is right: ${file}${over}\n${ignored.join('')}`;
}
