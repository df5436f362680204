/** A file that has its name only once all of it is on the disk. */
import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { cliError, reasonOf } from './errors.ts';

export interface Written {
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

export interface DurableFile {
  write(chunk: Uint8Array): Promise<void>;
  /** The newest bytes, as many as the last chunks hold, 8 at most. */
  tail(): Uint8Array;
  /** Puts it under its name, over what had it before. */
  commit(): Promise<Written>;
  /** Nothing of it stays. */
  discard(): Promise<void>;
}

/** Makes the folder. Throws CLI_FILE_UNWRITABLE, as `write` and `commit` do. */
export async function createDurableFile(path: string): Promise<DurableFile> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.tmp`);
  const guard = async <T>(step: () => Promise<T>): Promise<T> => {
    try {
      return await step();
    } catch (error) {
      throw cliError('CLI_FILE_UNWRITABLE', [path, reasonOf(error)], { cause: error });
    }
  };
  const file = await guard(async () => {
    mkdirSync(folder, { recursive: true });
    return await open(temporary, 'w', 0o600);
  });
  const hash = createHash('sha256');
  let bytes = 0;
  let tail: Uint8Array = new Uint8Array();
  return {
    write: (chunk) =>
      guard(async () => {
        hash.update(chunk);
        bytes += chunk.length;
        tail = Buffer.concat([tail, chunk.subarray(-8)]).subarray(-8);
        await writeAll(file, chunk);
      }),
    tail: () => tail,
    commit: () =>
      guard(async () => {
        await file.datasync();
        await file.close();
        await rename(temporary, path);
        await syncFolder(folder);
        return { bytes, sha256: hash.digest('hex') };
      }),
    async discard() {
      await file.close().catch(() => undefined);
      await rm(temporary, { force: true });
    },
  };
}

/** `chunks` under `path`, or nothing. `assertWhole` looks at the newest bytes before it gets its name, and throws. */
export async function writeDurably(
  path: string,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  assertWhole: (tail: Uint8Array) => void = () => undefined,
): Promise<Written> {
  const file = await createDurableFile(path);
  try {
    for await (const chunk of chunks) await file.write(chunk);
    assertWhole(file.tail());
    return await file.commit();
  } catch (error) {
    await file.discard();
    throw error;
  }
}

/** One object under `path`, as JSON that people read. */
export async function writeJson(path: string, value: object): Promise<void> {
  await writeDurably(path, [Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`)]);
}

/** The object that stands in `path`; undefined where there is none. Throws CLI_FILE_UNREADABLE. */
export function readJson<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw cliError('CLI_FILE_UNREADABLE', [path, reasonOf(error)], { cause: error });
  }
}

/** Size and hash of the file as it is; undefined where it cannot be read. */
export async function measure(path: string): Promise<Written | undefined> {
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    await pipeline(createReadStream(path), async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        hash.update(chunk);
        bytes += chunk.length;
      }
    });
  } catch {
    return undefined;
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** What a killed process left in `folder`. */
export function removeLeftOvers(folder: string): void {
  let names: readonly string[];
  try {
    names = readdirSync(folder);
  } catch {
    return;
  }
  for (const name of names)
    if (name.startsWith('.') && name.endsWith('.tmp')) rmSync(join(folder, name), { force: true });
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let from = 0; from < chunk.length; ) {
    const { bytesWritten } = await file.write(chunk, from);
    from += bytesWritten;
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
