/** Where an answer goes: standard output, or a file that has its name only when it is whole. */
import { once } from 'node:events';
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { cliError, reasonOf } from '../errors.ts';

export interface Output {
  /** Columns of the terminal; undefined where it is none. */
  readonly columns: number | undefined;
  write(chunk: string | Uint8Array): Promise<void>;
  /** Gives the file its name. */
  finish(): Promise<void>;
  /** Leaves nothing of the file. */
  discard(): void;
}

/** Throws CLI_BINARY_TERMINAL, CLI_FILE_UNWRITABLE. */
export function openOutput(file: string | undefined, format: string): Output {
  if (file !== undefined) return fileOutput(file);
  if (format === 'parquet' && process.stdout.isTTY) throw cliError('CLI_BINARY_TERMINAL', [format]);
  return {
    columns: process.stdout.isTTY ? process.stdout.columns : undefined,
    async write(chunk) {
      if (chunk.length > 0 && !process.stdout.write(chunk)) await once(process.stdout, 'drain');
    },
    async finish() {},
    discard() {},
  };
}

function fileOutput(file: string): Output {
  const partial = `${file}.part`;
  const guarded = <Result>(step: () => Result): Result => {
    try {
      return step();
    } catch (error) {
      throw cliError('CLI_FILE_UNWRITABLE', [file, reasonOf(error)], { cause: error });
    }
  };
  const descriptor = guarded(() => openSync(partial, 'w'));
  return {
    columns: undefined,
    async write(chunk) {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      guarded(() => {
        for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
      });
    },
    async finish() {
      guarded(() => {
        fsyncSync(descriptor);
        closeSync(descriptor);
        renameSync(partial, file);
      });
    },
    discard() {
      rmSync(partial, { force: true });
    },
  };
}
