import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { parseCommandLine, UsageError } from './config.ts';
import { FolderInUseError } from './data-folder.ts';
import { createServer, PortTakenError } from './server.ts';

const log = pino({ name: 'embedded-clickhouse' }, pino.destination({ dest: 2, sync: true }));

try {
  const config = parseCommandLine(process.argv.slice(2), process.env);
  // The engine takes an unknown table name for a file of the working folder, so that folder is empty.
  const userFiles = join(config.dataDir, 'user_files');
  mkdirSync(userFiles, { recursive: true });
  process.chdir(userFiles);
  const server = createServer(config, { log });
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping');
    server.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.fatal({ err: error }, 'stop failed');
        process.exit(1);
      },
    );
  };
  const address = await server.start();
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.stdout.write(`${JSON.stringify({ ready: true, ...address })}\n`);
} catch (error) {
  if (error instanceof UsageError) fail(2, error.message);
  else if (error instanceof FolderInUseError || error instanceof PortTakenError) fail(1, error.message);
  else {
    log.fatal({ err: error }, 'start failed');
    process.exit(1);
  }
}

function fail(status: number, message: string): never {
  log.fatal(message);
  process.exit(status);
}
