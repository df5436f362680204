/** The `tcptrail` command: parses, runs, and turns every error into one sentence and its exit code. */
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { CommanderError } from 'commander';
import { commandsOf, createProgram } from './program.ts';
import { asErrors } from './usage-errors.ts';

// A reader that went away (`| head`), or a terminal that did, is no error; what runs long ends in good order.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
    if (process.listenerCount('SIGTERM') === 0) process.exit(process.exitCode ?? 0);
    process.emit('SIGTERM', 'SIGTERM');
  });
}

try {
  const program = createProgram();
  for (const command of [program, ...commandsOf(program)]) asErrors(command);
  if (process.argv.length <= 2) {
    program.outputHelp({ error: true });
    process.exitCode = 2;
  } else await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.code === 'commander.help' ? 2 : error.exitCode;
  if (error instanceof AppError) {
    process.stderr.write(`tcptrail: ${error.message}\n`);
    return error.exitCode;
  }
  // What nobody foresaw keeps its stack: it is a defect to report.
  process.stderr.write(`tcptrail: this is a defect, please report it: ${inspected(error)}\n`);
  return 1;
}

function inspected(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
