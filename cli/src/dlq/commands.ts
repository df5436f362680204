/** `tcptrail dlq` and its commands; each loads its part only when it runs. */
import type { Command } from 'commander';
import { examples } from '../command-parts.ts';
import { addConsumerOptions } from '../consumer-options.ts';

export function addDlq(program: Command): void {
  const dlq = program
    .command('dlq')
    .summary('what could not be stored: list it, look at it, store it after all, give it up')
    .description(
      'Letters are batches that could not be stored: messages on the dead-letter topic,\n' +
        'or files in the set-aside/ of a spool. Settings are those of the consumer:\n' +
        '--config, else /etc/tcptrail/consumer.yaml, with TCPTRAIL_* over it; a running\n' +
        "'tcptrail up' is found by itself. The view completeness names their rows as\n" +
        'parked, then as stored or discarded.',
    )
    .helpCommand(false);
  addConsumerOptions(dlq.command('list'))
    .summary('one line a letter')
    .description('Prints reason, origin, size, age and host of each letter, oldest first.')
    .option('--all', 'those too that were stored or discarded since')
    .option('--json', 'one object a letter and line')
    .action(async (options) => (await import('./list.ts')).listCommand(options));
  addConsumerOptions(dlq.command('show'))
    .summary('one letter, decoded as far as it goes')
    .description('Prints what a letter says of its batch, and the bytes around the damage.')
    .argument('<id>', 'as list prints it')
    .option('--json', 'as one object')
    .option('--raw', 'its bytes alone, as they were parked')
    .action(async (id, options) => (await import('./show.ts')).showCommand(id, options));
  addConsumerOptions(addChoice(dlq.command('retry')))
    .summary('store letters under the place they came from')
    .description(
      'Stores letters after all: once what was wrong with ClickHouse is mended, or this\n' +
        'tcptrail knows their schema. Rows that are there are never stored again, however\n' +
        'often it is run or killed. Exit code 1 when some are refused again.',
    )
    .option('--why <text>', 'reason, for the trace')
    .action(async (ids, options) => (await import('./retry.ts')).retryCommand(ids, options));
  addConsumerOptions(addChoice(dlq.command('discard')))
    .summary('give letters up')
    .description('Gives letters up for good. Who, when and why stands in tcp_parked_outcomes.')
    .requiredOption('--why <text>', 'reason, for the trace')
    .option('--except-held', 'leave out what is under a legal hold; else that refuses all of it')
    .option('-y, --yes', 'do not ask (also YES=1)')
    .action(async (ids, options) => (await import('./discard.ts')).discardCommand(ids, options));
  dlq.addHelpText('after', () =>
    examples([
      ['tcptrail dlq list --json | jq -r .reason | sort | uniq -c', ''],
      ['tcptrail dlq retry --reason SCHEMA_UNKNOWN', 'after an update of tcptrail'],
      ['tcptrail dlq discard 0-17 --why "a test of another team"', ''],
    ]),
  );
}

function addChoice(command: Command): Command {
  return command
    .argument('[ids...]', 'as list prints them')
    .option('--reason <code>', 'all that are parked for this reason')
    .option('--all', 'all that are parked');
}
