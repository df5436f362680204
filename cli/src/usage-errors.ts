/** What commander refuses, as errors of the catalogue. */
import type { Command } from 'commander';
import { cliError } from './errors.ts';

/** Makes `command` throw where commander would print and exit. */
export function asErrors(command: Command): void {
  command.exitOverride((error) => {
    // 'topic' alone has printed its help.
    if (error.exitCode === 0 || error.code === 'commander.help') throw error;
    const problem = error.message
      .replace(/^error: /, '')
      .replace(/\s*\n\s*/g, ' ')
      .replace(/[.\s]+$/, '');
    throw cliError('CLI_USAGE', [problem, nameOf(command)], { cause: error });
  });
  command.configureOutput({ outputError: () => {} });
}

function nameOf(command: Command): string {
  return command.parent ? `${nameOf(command.parent)} ${command.name()}` : command.name();
}
