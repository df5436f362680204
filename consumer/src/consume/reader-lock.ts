/** One consumer a spool and reader name: an abstract Unix socket, which the kernel frees with its process. */
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { failure } from '../errors.ts';

export interface ReaderLock {
  /** Throws CONSUMER_SPOOL_IN_USE. */
  acquire(): Promise<void>;
  release(): Promise<void>;
}

export function createReaderLock(spool: string, reader: string): ReaderLock {
  const name = createHash('sha256').update(spool).digest('hex').slice(0, 32);
  let server: Server | undefined;
  return {
    async acquire() {
      const listening = createServer().unref();
      await new Promise<void>((resolve, reject) => {
        listening.once('error', (cause) =>
          reject(
            failure(
              'CONSUMER_SPOOL_IN_USE',
              `another consumer reads ${spool} as "${reader}"; stop it or set another spool.reader`,
              { cause },
            ),
          ),
        );
        listening.listen(`\0tcptrail-consumer-${name}-${reader}`, resolve);
      });
      server = listening;
    },
    async release() {
      const open = server;
      if (open) await new Promise((resolve) => open.close(resolve));
    },
  };
}
