/** Options of the commands that work where the consumer does; see `consumer-settings.ts`. */
import type { Command } from 'commander';
import { brokers } from './options.ts';

export function addConsumerOptions(command: Command): Command {
  return command
    .option('--config <file>', 'configuration of the consumer')
    .option('--brokers <host:port>', 'the topics of these brokers', brokers)
    .option('--spool <folder>', 'this spool instead of Kafka')
    .option('--url <url>', 'address of ClickHouse (TCPTRAIL_CLICKHOUSE_URL)')
    .option('--user <name>', 'user (TCPTRAIL_CLICKHOUSE_USERNAME)')
    .option('--password-file <file>', 'file with the password (TCPTRAIL_CLICKHOUSE_PASSWORD_FILE)')
    .option('--database <name>', 'database (TCPTRAIL_CLICKHOUSE_DATABASE)');
}
