/** `tcptrail spool` and its commands; each loads its part only when it runs. */
import type { Command } from 'commander';
import { examples, home, instance } from '../command-parts.ts';

export function addSpool(program: Command): void {
  const spool = program
    .command('spool')
    .summary('what waits on this host: list it, print it, check it')
    .description(
      'Reads the spool of this host, where batches wait for the consumer or Kafka.\n' +
        'It changes nothing, and an agent may be writing. Needs root, or the group\n' +
        'tcptrail. Without an option it is spool.path of /etc/tcptrail/agent.yaml\n' +
        '(TCPTRAIL_SPOOL_PATH).',
    )
    .helpCommand(false);
  addPlace(spool.command('ls'))
    .summary('one line a segment, and who has read it')
    .description(
      'Prints one line a segment, oldest first: batches, rows, bytes, age since it was\n' +
        'finished, first and last batch (as its run of the agent numbers them), and the\n' +
        'readers that have passed it; one that is within, with how far it is.',
    )
    .option('--json', 'one object a segment and line')
    .action(async (options) => (await import('./ls.ts')).ls(options));
  addPlace(spool.command('cat'))
    .summary('its rows as JSON')
    .description(
      "Prints the rows of every batch, oldest first, as 'tcptrail tail --json' does:\n" +
        'one object a line. What is damaged is told and passed over; exit code 1 then.',
    )
    .action(async (options) => (await import('./cat.ts')).cat(options));
  addPlace(spool.command('verify'))
    .summary('read every block and say what is damaged')
    .description(
      'Reads every block (checksums too), every row and every cursor, and says what is\n' +
        'damaged and where; exit code 1 then. A block that a running agent has not\n' +
        'finished is no damage.',
    )
    .option('--json', 'one object a file and line')
    .action(async (options) => (await import('./verify.ts')).verify(options));
  spool.addHelpText('after', () =>
    examples([
      ['sudo tcptrail spool ls', ''],
      ['sudo tcptrail spool cat | jq -c "[.ts, .kind, .comm, .peer_address]"', ''],
      ['tcptrail spool verify --path /mnt/old-disk/spool', 'a copy, or the disk of another host'],
    ]),
  );
}

function addPlace(command: Command): Command {
  return command
    .option('--path <folder>', 'folder of the spool, over everything')
    .addOption(home())
    .addOption(instance());
}
