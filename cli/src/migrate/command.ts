/** `tcptrail migrate`; it loads its part only when it runs. */
import type { Command } from 'commander';
import { examples } from '../command-parts.ts';

export function addMigrate(program: Command): void {
  program
    .command('migrate')
    .summary('bring the database to the tables and views of this version')
    .description(
      'Applies the migrations that the database does not have yet, makes views anew whose text\n' +
        'changed, and says which. It may be run again at any time, ended at any time, and beside\n' +
        'consumers, which do the same when they start unless `migrate` is false.\n' +
        "Settings are the consumer's; a running 'tcptrail up' is found by itself.",
    )
    .option('--plan', 'only say what would be applied')
    .option('--sql', 'with --plan: the statements, instead of the names')
    .option(
      '--retention',
      'put back the TTL of tables that have none; with --plan, say how many rows then go',
    )
    .option('--cluster <name>', 'made on this cluster (TCPTRAIL_CLICKHOUSE_CLUSTER)')
    .option('--config <file>', 'configuration of the consumer, for its section clickhouse')
    .option('--url <url>', 'address of ClickHouse (TCPTRAIL_CLICKHOUSE_URL)')
    .option('--user <name>', 'user (TCPTRAIL_CLICKHOUSE_USERNAME)')
    .option('--password-file <file>', 'file with the password (TCPTRAIL_CLICKHOUSE_PASSWORD_FILE)')
    .option('--database <name>', 'database (TCPTRAIL_CLICKHOUSE_DATABASE)')
    .option('--json', 'one object a step and line, with its statements')
    .action(async (options) => (await import('./migrate.ts')).migrateCommand(options))
    .addHelpText('after', () =>
      examples([
        ['tcptrail migrate --plan', ''],
        ['tcptrail migrate --plan --sql --cluster trail', 'what a cluster would be asked to do'],
      ]),
    );
}
