/** `tcptrail backup` and `tcptrail restore`; each loads its part only when it runs. */
import { type Command, Option } from 'commander';
import { examples } from '../command-parts.ts';
import { addStoreOptions } from '../store-options.ts';

export function addBackup(program: Command): void {
  const backup = program
    .command('backup')
    .summary('the whole database as files')
    .description(
      'Writes every table, a file for each partition in the format Native under zstd, and\n' +
        'backup.json with rows and checksums. A consumer may go on: what it stores after the\n' +
        'begin is left out, and stored again from Kafka or the spool after a restore.\n' +
        'Needs no rights on the disk of the server, as its own BACKUP does.',
    )
    .addOption(new Option('--to <folder>', 'a new or empty folder').makeOptionMandatory())
    .option('--json', 'one object a table and line')
    .action(async (options) => (await import('./backup.ts')).backupCommand(options));
  addStoreOptions(backup).addHelpText('after', () =>
    examples([['tcptrail backup --to /srv/backup/$(date -u +%F)', '']]),
  );
  const restore = program
    .command('restore')
    .summary('bring a database back from a backup')
    .description(
      'Fills a database that has no rows, and compares each table with what the backup says\n' +
        'of it. Killed in the middle it is run again. Days older than the retention stay in\n' +
        'the backup, and it says how many rows. End every consumer of that database\n' +
        'before; afterwards set its group back to the offsets that backup.json names.',
    )
    .addOption(new Option('--from <folder>', 'what backup has written').makeOptionMandatory())
    .option(
      '--keep-all',
      "also what is older than the retention: nothing of the restored database ages away, until 'tcptrail migrate --retention', which removes what is past its age (--plan says how much)",
    )
    .option('--json', 'one object a table and line')
    .action(async (options) => (await import('./restore.ts')).restoreCommand(options));
  addStoreOptions(restore).addHelpText('after', () =>
    examples([
      ['tcptrail restore --from /srv/backup/2026-11-28', ''],
      ['tcptrail restore --from /srv/backup/2025-11-28 --database last_year --keep-all', ''],
    ]),
  );
}
