import { linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';

/** The data folder belongs to another living server; the message says which. */
export class FolderInUseError extends Error {}

export interface DataFolder {
  readonly databaseDir: string;
  /** Path of the file `name` under `tmp/`, which was empty at the start. */
  temporaryFile(name: string): string;
  release(): Promise<void>;
}

/**
 * Makes `dataDir` this process's own and empties its `tmp/`.
 *
 * Two things hold the folder, as neither is enough: a socket in the abstract namespace named after the
 * folder's inode, which the kernel takes back whatever kills the process, and a file with pid and start
 * time of the process, which is seen from other network namespaces too. Throws FolderInUseError.
 */
export async function claimDataFolder(dataDir: string): Promise<DataFolder> {
  mkdirSync(dataDir, { recursive: true });
  const holder = await holdSocket(dataDir);
  const lockFile = join(dataDir, 'lock');
  try {
    writeLock(dataDir, lockFile);
  } catch (error) {
    holder?.close();
    throw error;
  }
  const temporaryDir = join(dataDir, 'tmp');
  rmSync(temporaryDir, { recursive: true, force: true });
  mkdirSync(temporaryDir, { recursive: true });
  return {
    databaseDir: join(dataDir, 'db'),
    temporaryFile: (name) => join(temporaryDir, name),
    async release() {
      rmSync(lockFile, { force: true });
      await new Promise((done) => (holder === undefined ? done(undefined) : holder.close(done)));
    },
  };
}

async function holdSocket(dataDir: string): Promise<Server | undefined> {
  if (process.platform !== 'linux') return undefined;
  const { dev, ino } = statSync(dataDir);
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((listening, failed) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      failed(error.code === 'EADDRINUSE' ? inUse(dataDir, readOwner(join(dataDir, 'lock'))) : error),
    );
    server.listen(`\0tcptrail-clickhouse-${dev}-${ino}`, listening);
  });
  server.unref();
  return server;
}

function writeLock(dataDir: string, lockFile: string): void {
  const mine = `${lockFile}.${process.pid}`;
  writeFileSync(mine, `${process.pid} ${startTime(process.pid)}\n`);
  try {
    // link() makes the name appear with its content or not at all.
    linkSync(mine, lockFile);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const owner = readOwner(lockFile);
    if (owner !== undefined && owner.startTime !== '' && startTime(owner.pid) === owner.startTime)
      throw inUse(dataDir, owner);
    rmSync(lockFile, { force: true });
    linkSync(mine, lockFile);
  } finally {
    rmSync(mine, { force: true });
  }
}

interface Owner {
  readonly pid: number;
  readonly startTime: string;
}

function readOwner(lockFile: string): Owner | undefined {
  try {
    const [pid = '', started = ''] = readFileSync(lockFile, 'utf8').trim().split(' ');
    return { pid: Number(pid), startTime: started };
  } catch {
    return undefined;
  }
}

/** Start of a process in clock ticks since boot: with it a pid that came round again is not mistaken. '' when gone. */
function startTime(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

function inUse(dataDir: string, owner: Owner | undefined): FolderInUseError {
  const who = owner === undefined ? 'another server' : `the server with pid ${owner.pid}`;
  return new FolderInUseError(
    `data folder ${dataDir} belongs to ${who}: stop it or choose another --data folder`,
  );
}
