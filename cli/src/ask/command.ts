/** `tcptrail ask`; it loads its part only when it runs. */
import { type Command, Option } from 'commander';
import { addClickHouse, examples } from '../command-parts.ts';
import { integer, list } from '../options.ts';

/** Order of preference: the first is the default. */
export const FORMATS = ['table', 'json', 'csv', 'parquet'] as const;

export function addAsk(program: Command): void {
  const command = program
    .command('ask')
    .summary('ask a question of the library')
    .description(
      'Asks a question by its name; without one lists them. Each question has parameters of its own,\n' +
        "given as options behind its name: 'ask NAME --explain' tells them, and the SQL.\n" +
        'Times are UTC unless they name a zone. docs/questions.md has every question.',
    )
    .argument('[name]', 'the question, for instance top-talkers')
    .argument('[options...]', "the question's own parameters, for instance --address 10.0.0.1")
    .option(
      '--since <time>',
      'begin of the window: 90m, 12h, 3d or 2026-11-28T10:00 (default: as the question says)',
    )
    .option('--until <time>', 'end of the window, in the same forms (default: now)')
    .option('--host <name>', 'names or ids of hosts', list)
    .option('--own', "tcptrail's own connections too")
    .option('-n, --limit <rows>', 'rows at most (default: as the question says)', integer(1, 1_000_000))
    .addOption(new Option('--format <format>', 'form of the answer').choices(FORMATS).default(FORMATS[0]))
    .option('--output <file>', 'write the answer to this file')
    .option('--list', 'list the questions that hold all of these words')
    .option('--explain', 'why one asks, parameters, the SQL as it would run, and what it would read')
    .allowUnknownOption()
    .action(async (name: string | undefined, rest: readonly string[], options) =>
      (await import('./ask.ts')).ask(name, rest, options),
    );
  addClickHouse(command).addHelpText('after', () =>
    examples([
      ['tcptrail ask --list retransmit', ''],
      ['tcptrail ask who-talked-to --address 203.0.113.80', ''],
      ['tcptrail ask failures-by-errno --since 2026-11-28T10:00 --until 2026-11-28T11:00 --host web-1', ''],
      ['tcptrail ask top-talkers --since 7d --format parquet --output talkers.parquet', ''],
    ]),
  );
}
