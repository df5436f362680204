/** One consumer a spool: an abstract Unix socket, which the kernel frees with its process. */
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { resolve } from 'node:path';
import { failure } from '../errors.ts';

export interface ReaderLock {
  /** Throws CONSUMER_SPOOL_IN_USE. */
  acquire(): Promise<void>;
  release(): Promise<void>;
}

export function createReaderLock(spool: string): ReaderLock {
  let server: Server | undefined;
  return {
    async acquire() {
      const name = createHash('sha256').update(identityOf(spool)).digest('hex').slice(0, 32);
      const listening = createServer().unref();
      await new Promise<void>((resolve, reject) => {
        listening.once('error', (cause) =>
          reject(
            failure(
              'CONSUMER_SPOOL_IN_USE',
              `another consumer reads ${spool}; stop it: two of them would store rows twice`,
              { cause },
            ),
          ),
        );
        listening.listen(`\0tcptrail-consumer-${name}`, resolve);
      });
      server = listening;
    },
    async release() {
      const open = server;
      if (open) await new Promise((resolve) => open.close(resolve));
    },
  };
}

/** The folder itself, whatever path leads to it. */
function identityOf(folder: string): string {
  const found = statSync(folder, { throwIfNoEntry: false });
  return found ? `${found.dev}:${found.ino}` : resolve(folder);
}
