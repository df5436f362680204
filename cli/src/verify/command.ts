/** `tcptrail verify`; it loads its part only when it runs. */
import { type Command, Option } from 'commander';
import { examples } from '../command-parts.ts';
import { addConsumerOptions } from '../consumer-options.ts';
import { age, list } from '../options.ts';

/** Rows are kept for 7 days, and may be filed two days from their batch. */
const SINCE_DEFAULT = '5d';

export function addVerify(program: Command): void {
  const command = program
    .command('verify')
    .summary('whether ClickHouse holds what it must, and each batch once')
    .description(
      'Compares the ranges of the topic with what the table holds of them, the rows of\n' +
        'each batch with its events, and the numbers of each run with one another.\n' +
        'Reports gaps, overlaps, rewinds, wrong row counts and parked batches; then the\n' +
        'exit code is 1. What Kafka no longer has is checked by the numbers of the batches alone.\n' +
        "Settings are the consumer's; a running 'tcptrail up' is found by itself.",
    )
    .addOption(
      new Option('--since <age>', 'batches so old at most: 90m, 12h, 3d')
        .argParser(age)
        .default(age(SINCE_DEFAULT), SINCE_DEFAULT),
    )
    .option('--topic <name>', 'batches out of this topic alone')
    .option('--host <name>', 'name or id of a host', list)
    .option('--json', 'one object a finding and line')
    .action(async (options) => (await import('./verify.ts')).verifyCommand(options));
  addConsumerOptions(command).addHelpText('after', () =>
    examples([
      ['tcptrail verify --since 1h', ''],
      ['tcptrail verify --json | jq -c "select(.problem)"', ''],
    ]),
  );
}
