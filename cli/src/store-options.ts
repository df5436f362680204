/** Options of the commands that change what ClickHouse holds, as the consumer would reach it; see `consumer-settings.ts`. */
import type { Command } from 'commander';

export function addStoreOptions(command: Command): Command {
  return command
    .option('--config <file>', 'configuration of the consumer, for its section clickhouse')
    .option('--url <url>', 'address of ClickHouse (TCPTRAIL_CLICKHOUSE_URL)')
    .option('--user <name>', 'user (TCPTRAIL_CLICKHOUSE_USERNAME)')
    .option('--password-file <file>', 'file with the password (TCPTRAIL_CLICKHOUSE_PASSWORD_FILE)')
    .option('--database <name>', 'database (TCPTRAIL_CLICKHOUSE_DATABASE)');
}
