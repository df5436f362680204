/** What several commands have: options, and examples below their help. */
import { Option } from 'commander';
import { instanceName } from './options.ts';

export const home = (): Option =>
  new Option('--home <folder>', 'keep everything under this folder instead of the standard places').env(
    'TCPTRAIL_HOME',
  );
export const instance = (): Option =>
  new Option('--instance <name>', 'name that keeps several apart on one host')
    .argParser(instanceName)
    .default('default');

export function examples(lines: readonly (readonly [string, string])[]): string {
  const text = lines.map(([command, why]) => `  ${command}${why === '' ? '' : `\n      ${why}`}`);
  return `\nExamples:\n${text.join('\n')}`;
}
