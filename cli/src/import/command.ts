/** `tcptrail import`; it loads its part only when it runs. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { examples } from '../command-parts.ts';

export function addImport(program: Command): void {
  program
    .command('import')
    .summary("past connections out of Zeek's conn.log, into a database of their own")
    .description(
      "Reads Zeek's conn.log, TSV with its header or JSON lines, gzip or not, into the database\n" +
        'import_<name>, with the tables and views of tcptrail. TCP alone; the originator is the local\n' +
        'end, sensor is zeek. A file that is there already changes nothing; an import that was ended\n' +
        'is finished by the next one. A line that cannot be read is told and left out; then the exit\n' +
        'code is 1. Give logs that Zeek has closed: one that still grows is another file each time.',
    )
    .argument('<file...>', 'logs')
    .addOption(
      new Option('--name <name>', 'names the database, import_<name>; logs of one name are asked together')
        .argParser(importName)
        .makeOptionMandatory(),
    )
    .option('--config <file>', 'configuration of the consumer, for its section clickhouse')
    .option('--url <url>', 'address of ClickHouse (TCPTRAIL_CLICKHOUSE_URL)')
    .option('--user <name>', 'user (TCPTRAIL_CLICKHOUSE_USERNAME)')
    .option('--password-file <file>', 'file with the password (TCPTRAIL_CLICKHOUSE_PASSWORD_FILE)')
    .option('--json', 'one object a file and line')
    .action(async (files, options) => (await import('./import.ts')).importCommand(files, options))
    .addHelpText('after', () =>
      examples([
        ['tcptrail import --name lab /var/log/zeek/2026-11-27/conn.*.log.gz', ''],
        ['tcptrail query --database import_lab "SELECT verdict, count() FROM connections GROUP BY 1"', ''],
        ['tcptrail query --user default "DROP DATABASE import_lab"', 'forget it'],
      ]),
    );
}

function importName(text: string): string {
  if (/^[a-z0-9_]{1,48}$/.test(text)) return text;
  throw new InvalidArgumentError('give 1 to 48 of a-z, 0-9 and _.');
}
