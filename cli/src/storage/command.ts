/** `tcptrail storage`; it loads its part only when it runs. */
import { type Command, Option } from 'commander';
import { examples } from '../command-parts.ts';
import { integer } from '../options.ts';

export function addStorage(program: Command): void {
  program
    .command('storage')
    .summary('what a row, a column, a host and a year cost on disk')
    .description(
      'Prints what tables, columns, indices and projections take on disk, rows by day and host, and\n' +
        'what that comes to for --hosts while rows are kept. ClickHouse does not know the sizes of\n' +
        'columns in compact parts, which all new ones are: a user that may create tables, as with\n' +
        '--user default, writes a sample of their rows into a table of its own to measure them.\n' +
        'On a cluster: what the ClickHouse that answers holds.',
    )
    .addOption(
      new Option('--hosts <count>', 'hosts to forecast for; without it, those seen in these days').argParser(
        integer(1, 10_000_000),
      ),
    )
    .addOption(
      new Option('--days <count>', 'days whose rows are counted, today included')
        .argParser(integer(1, 400))
        .default(7),
    )
    .option('--table <name>', 'all columns of this table, instead of the largest')
    .addOption(
      new Option('--sample-rows <count>', 'about how many rows of a table to measure')
        .argParser(integer(1_000, 100_000_000))
        .default(1_000_000),
    )
    .option('--url <url>', 'address of ClickHouse (TCPTRAIL_CLICKHOUSE_URL)')
    .option('--user <name>', 'user (TCPTRAIL_CLICKHOUSE_USERNAME)')
    .option('--password-file <file>', 'file with the password (TCPTRAIL_CLICKHOUSE_PASSWORD_FILE)')
    .option('--database <name>', 'database (TCPTRAIL_CLICKHOUSE_DATABASE)')
    .option('--json', 'one object a table, column, index, projection and forecast, by line')
    .action(async (options) => (await import('./storage.ts')).storageCommand(options))
    .addHelpText('after', () =>
      examples([
        ['tcptrail storage --hosts 5000', ''],
        ['tcptrail storage --user default --table tcp_events', 'with the columns of compact parts'],
        ['tcptrail storage --json | jq -c "select(.kind == \\"forecast\\")"', ''],
      ]),
    );
}
