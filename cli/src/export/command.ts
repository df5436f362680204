/** `tcptrail export`; it loads its part only when it runs. */
import { type Command, Option } from 'commander';
import { addClickHouse, examples } from '../command-parts.ts';
import { days, list } from '../options.ts';

export function addExport(program: Command): void {
  const command = program
    .command('export')
    .summary('days as Parquet files')
    .description(
      'Writes each day of each table as FOLDER/<table>/<day>.parquet, and beside it a\n' +
        'manifest, <day>.json: rows, bytes, SHA-256, migration of the database, filters.\n' +
        'A day that is there and whole is not written again, unless the table holds more\n' +
        'rows of it by now, or as many with other values. A file has its name only once all of it is on the disk.',
    )
    .addOption(
      new Option('--day <day>', 'a day, or two as 2026-11-01..2026-11-07, in UTC')
        .argParser(days)
        .makeOptionMandatory(),
    )
    .addOption(new Option('--to <folder>', 'where the files go').makeOptionMandatory())
    .addOption(
      new Option(
        '--table <name>',
        'tables or views with a column day (default: tcp_events, tcp_batches)',
      ).argParser(list),
    )
    .option('--host <name>', 'rows of these hosts alone, by name or id', list)
    .option('--json', 'one object a file and line');
  addClickHouse(command).action(async (options) => (await import('./export.ts')).exportCommand(options));
  command.addHelpText('after', () =>
    examples([
      ['tcptrail export --day 2026-11-01..2026-11-07 --to /srv/tcptrail', ''],
      ['tcptrail export --day $(date -ud yesterday +%F) --to /srv/tcptrail', 'every night'],
      ['duckdb -c "SELECT verdict, count(*) FROM \'/srv/tcptrail/tcp_events/*.parquet\' GROUP BY 1"', ''],
    ]),
  );
}
