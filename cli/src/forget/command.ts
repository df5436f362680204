/** `tcptrail forget`; it loads its part only when it runs. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { examples } from '../command-parts.ts';
import { address, day, integer, list } from '../options.ts';
import { addStoreOptions } from '../store-options.ts';

export function addForget(program: Command): void {
  const command = program
    .command('forget')
    .summary('remove the rows of an address, a host or a user')
    .description(
      'Removes rows from the tables of events and batches, what is parked, the tiers and\n' +
        'exports, and looks again whether any is left; then the exit code is 1. Asks first.\n' +
        'Rows under a legal hold stay (tcptrail hold). The view completeness counts what\n' +
        'went as forgotten; who forgot what, and when, stands in the table forgotten, with a\n' +
        'salted hash in place of the value. What spools and Kafka hold is not reached.',
    );
  addSubject(command)
    .addOption(new Option('--before <day>', 'rows filed under earlier days alone').argParser(day))
    .option('--export <folder>', "an export's folder, to be rewritten without them", list)
    .option('--except-held', 'leave out what is under a legal hold; else that refuses all of it')
    .option('--plan', 'only count what would go, by table and day')
    .option('-y, --yes', 'do not ask (also YES=1)')
    .option('--json', 'one object a line')
    .action(async (options) => (await import('./forget.ts')).forgetCommand(options));
  addStoreOptions(command).addHelpText('after', () =>
    examples([
      ['tcptrail forget --address 203.0.113.80 --plan', ''],
      ['tcptrail forget --uid 1001 --before 2026-11-01 --export /srv/tcptrail', ''],
    ]),
  );
}

/** Options that choose whose rows; exactly one is to be given, see `subjectOf`. */
export function addSubject(command: Command): Command {
  return command
    .addOption(
      new Option('--address <address>', 'either end, or the peer behind its translation')
        .argParser(address)
        .conflicts(['host', 'uid']),
    )
    .addOption(
      new Option('--host <name>', 'name or id of a host').argParser(name).conflicts(['address', 'uid']),
    )
    .addOption(
      new Option('--uid <uid>', 'user of the process or of the socket; 0 is root and who is not known')
        .argParser(integer(0, 4_294_967_295))
        .conflicts(['address', 'host']),
    );
}

function name(text: string): string {
  if (text.trim() !== '') return text;
  throw new InvalidArgumentError('give the name or the id of a host.');
}
