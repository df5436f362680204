/**
 * One consumer a spool, whatever its reader is called: a Unix socket `lock` in the spool's cursor folder.
 *
 * Its name is looked up in the file system, so it holds across network and process namespaces and through every
 * path to the folder. The kernel answers for its process, a stopped one too; when that is gone it refuses
 * connections, and the next consumer takes the name over.
 */
import { randomUUID } from 'node:crypto';
import { closeSync, linkSync, openSync, renameSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { failure } from '../errors.ts';
import { makeFolder } from './make-folder.ts';

export interface ReaderLock {
  /** The spool folder must be there. Throws CONSUMER_SPOOL_IN_USE, or CONSUMER_CURSOR when it cannot be made. */
  acquire(): Promise<void>;
  release(): Promise<void>;
}

const TAKE_TRIES = 10;

export function createReaderLock(spool: string): ReaderLock {
  const folder = join(spool, 'cursor');
  let held: { readonly server: Server; readonly fd: number } | undefined;

  async function hold(fd: number): Promise<void> {
    const own = at(fd, `lock.${randomUUID()}`);
    const server = await listenAt(own);
    try {
      if (!(await take(own, at(fd, 'lock')))) {
        throw failure(
          'CONSUMER_SPOOL_IN_USE',
          `another consumer reads ${spool}; stop it: two of them would store rows twice`,
        );
      }
      rmSync(own, { force: true });
      held = { server, fd };
    } catch (error) {
      await closed(server);
      throw error;
    }
  }

  return {
    async acquire() {
      let fd: number | undefined;
      try {
        makeFolder(folder);
        fd = openSync(folder, 'r');
        await hold(fd);
      } catch (error) {
        if (fd !== undefined) closeSync(fd);
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'CONSUMER_SPOOL_IN_USE') throw error;
        throw failure(
          'CONSUMER_CURSOR',
          `lock ${join(folder, 'lock')} cannot be made (${code}); make ${folder} writable for the consumer's group`,
          { cause: error },
        );
      }
    },
    async release() {
      if (!held) return;
      const { server, fd } = held;
      held = undefined;
      rmSync(at(fd, 'lock'), { force: true });
      await closed(server);
      closeSync(fd);
    },
  };
}

/** A path short enough for a socket, which has 108 bytes at most. */
function at(fd: number, name: string): string {
  return `/proc/self/fd/${fd}/${name}`;
}

/** Gives `lock` to the socket at `own`; false when a living one has it. */
async function take(own: string, lock: string): Promise<boolean> {
  const aside = `${own}.old`;
  for (let tries = 0; tries < TAKE_TRIES; tries++) {
    if (linked(own, lock)) return true;
    if (await isAlive(lock)) return false;
    try {
      renameSync(lock, aside);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue;
      throw error;
    }
    // Another may have taken it over since it was asked: then that one keeps it.
    const isOthers = await isAlive(aside);
    if (isOthers) linked(aside, lock);
    rmSync(aside, { force: true });
    if (isOthers) return false;
  }
  return false;
}

/** False when the name is taken. */
function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) =>
      resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'),
    );
  });
}

async function listenAt(path: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy()).unref();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // Whoever may read the spool may ask, so that a leftover of another user's is told from a living one.
    server.listen({ path, readableAll: true, writableAll: true }, resolve);
  });
  return server;
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
