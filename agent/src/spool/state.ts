/**
 * `state.json`: what the agent must still know when the segments that said it are gone. Replaced as a whole, and
 * durable before the caller goes on.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { CpuAccount } from '@tcptrail/schemas/batch.ts';

export interface SpoolState {
  /** Rows dropped from the spool by kernel epoch and CPU. */
  readonly dropped: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Final account of each kernel epoch that has ended. */
  readonly ended: Readonly<Record<string, readonly CpuAccount[]>>;
  /** Segment whose rows are already in `dropped`; it may still be there. */
  readonly dropping: string;
}

const EMPTY: SpoolState = { dropped: {}, ended: {}, dropping: '' };
/** Kernel epochs kept; older ones have long left the spool. */
const EPOCHS_MAX = 64;

export interface StateFile {
  /** What the file holds; empty before `load`. A file that is absent or damaged counts as empty. */
  readonly value: SpoolState;
  load(): void;
  /** Throws the system's error; `value` is then what it was. */
  change(part: Partial<SpoolState>): void;
}

export function createStateFile(file: string): StateFile {
  let value = EMPTY;
  return {
    get value() {
      return value;
    },
    load() {
      value = read(file);
    },
    change(part) {
      const next = { ...value, ...part };
      const kept = { ...next, dropped: newest(next.dropped), ended: newest(next.ended) };
      write(file, kept);
      value = kept;
    },
  };
}

function read(file: string): SpoolState {
  try {
    return { ...EMPTY, ...(JSON.parse(readFileSync(file, 'utf8')) as Partial<SpoolState>) };
  } catch {
    return EMPTY;
  }
}

function write(file: string, state: SpoolState): void {
  writeFileSync(`${file}.new`, `${JSON.stringify(state)}\n`, { mode: 0o640, flush: true });
  renameSync(`${file}.new`, file);
  const folder = openSync(dirname(file), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function newest<T>(byEpoch: Readonly<Record<string, T>>): Record<string, T> {
  const epochs = Object.keys(byEpoch).sort((a, b) => Number(b) - Number(a));
  return Object.fromEntries(epochs.slice(0, EPOCHS_MAX).map((epoch) => [epoch, byEpoch[epoch] as T]));
}
