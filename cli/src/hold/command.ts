/** `tcptrail hold` and its commands; each loads its part only when it runs. */
import { type Command, Option } from 'commander';
import { examples } from '../command-parts.ts';
import { addSubject } from '../forget/command.ts';
import { day } from '../options.ts';
import { addStoreOptions } from '../store-options.ts';

export function addHold(program: Command): void {
  const hold = program
    .command('hold')
    .summary('legal holds: rows that must not be forgotten, and do not age away')
    .description(
      'Rows under a hold are not forgotten, and are copied into the table held_events before\n' +
        'they age away: at once, and later ones by the consumer (tiers.closeMs).',
    )
    .helpCommand(false);
  const add = addSubject(
    hold
      .command('add')
      .summary('hold rows')
      .description('Holds the rows of an address, a host or a user, those that are to come too.'),
  )
    .option('--all', 'every row')
    .addOption(new Option('--reason <text>', 'why').makeOptionMandatory())
    .addOption(new Option('--author <name>', 'who asked for it').makeOptionMandatory())
    .addOption(
      new Option('--until <day>', 'binds up to and with this day').argParser(day).makeOptionMandatory(),
    )
    .option('--json', 'as one object')
    .action(async (options) => (await import('./hold.ts')).addHoldCommand(options));
  addStoreOptions(add);
  addStoreOptions(hold.command('list'))
    .summary('holds, and how many rows each holds')
    .description('Prints each hold that binds; a row under two is counted with both.')
    .option('--all', 'those too that ended')
    .option('--json', 'one object a hold and line')
    .action(async (options) => (await import('./hold.ts')).listHoldsCommand(options));
  addStoreOptions(hold.command('end'))
    .summary('end a hold before its day')
    .description('Ends a hold; rows in held_events that no other holds are deleted.')
    .argument('<id>', 'as list prints it')
    .action(async (id, options) => (await import('./hold.ts')).endHoldCommand(id, options));
  hold.addHelpText('after', () =>
    examples([
      [
        'tcptrail hold add --host web-1 --reason "case 4711" --author "legal@example.org" --until 2027-06-30',
        '',
      ],
      ['tcptrail query "SELECT * FROM held_events FINAL"', ''],
    ]),
  );
}
