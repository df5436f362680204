/** What several commands have: options, and examples below their help. */
import { type Command, Option } from 'commander';
import { instanceName } from './options.ts';

export const home = (): Option =>
  new Option('--home <folder>', 'keep everything under this folder instead of the standard places').env(
    'TCPTRAIL_HOME',
  );
export const instance = (): Option =>
  new Option('--instance <name>', 'name that keeps several apart on one host')
    .argParser(instanceName)
    .default('default');

/** Where a command that reads finds ClickHouse. */
export function addClickHouse(command: Command): Command {
  return command
    .option('--url <url>', 'address of ClickHouse (TCPTRAIL_CLICKHOUSE_URL; default http://127.0.0.1:8123)')
    .option('--user <name>', 'user (TCPTRAIL_CLICKHOUSE_USERNAME; default reader, else default)')
    .option('--password-file <file>', 'file with the password (TCPTRAIL_CLICKHOUSE_PASSWORD_FILE)')
    .option('--database <name>', 'database (TCPTRAIL_CLICKHOUSE_DATABASE; default tcptrail)');
}

export function examples(lines: readonly (readonly [string, string])[]): string {
  const text = lines.map(([command, why]) => `  ${command}${why === '' ? '' : `\n      ${why}`}`);
  return `\nExamples:\n${text.join('\n')}`;
}
