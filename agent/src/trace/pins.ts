/**
 * The kernel state that outlives the agent, on bpffs at `tcptrail/<instance>/`.
 *
 * `accounts-<kernel epoch>`: so that the next agent can tell what the rings of a killed one still held.
 * `connections-<layout>`: what is known of each socket, so that a connection keeps its identity, its owner and its
 * beginning. Links and rings take their place here when they are kept over a restart.
 */
import { closeSync, mkdirSync, readdirSync, rmdirSync, statfsSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { ACCOUNT_BYTES, createAccounts, type KernelAccount } from './accounts.ts';
import { errnoName, type Handle, type Libbpf } from './libbpf.ts';

const BPFFS_MAGIC = 0xcafe4a11;
const MAP_TYPE_ARRAY = 2;
/** struct bpf_map_info up to max_entries. */
const MAP_INFO_BYTES = 20;
const VALUE_BYTES = 12;
const MAX_ENTRIES = 16;

/** Accounts of a kernel epoch that has ended. */
export interface StaleAccounts {
  readonly kernelEpoch: number;
  /** undefined: not readable by this version (`reason`), or an event is still under way: ask again. */
  readonly accounts: readonly KernelAccount[] | undefined;
  readonly reason: string;
}

export interface Pins {
  /** Folder of the instance. */
  readonly folder: string;
  /** '' or why nothing can be kept: the agent goes on without. */
  open(): string;
  /** File descriptor of the socket storage that an earlier agent left; undefined when there is none of this layout. */
  connections(layout: string): number | undefined;
  /** '' or why not. Other layouts' storage goes. */
  pinConnections(map: Handle, layout: string): string;
  unpinConnections(): void;
  /** '' or why not. */
  pinAccounts(map: Handle, kernelEpoch: number): string;
  /** Every pinned epoch but `current`, oldest first. */
  stale(current: number): StaleAccounts[];
  unpin(kernelEpoch: number): void;
}

export function createPins(
  config: { instance: string; bpffs: string },
  libbpf: Pick<Libbpf, 'get' | 'info' | 'mmap' | 'mountBpffs' | 'pin'>,
): Pins {
  const folder = join(config.bpffs, 'tcptrail', config.instance);
  const pathOf = (kernelEpoch: number): string => join(folder, `accounts-${kernelEpoch}`);

  function read(kernelEpoch: number): StaleAccounts {
    const fd = libbpf.get(pathOf(kernelEpoch));
    if (fd < 0) return { kernelEpoch, accounts: undefined, reason: errnoName(fd) };
    try {
      const info = libbpf.info(fd, MAP_INFO_BYTES);
      if (info?.readUInt32LE(0) !== MAP_TYPE_ARRAY || info.readUInt32LE(VALUE_BYTES) !== ACCOUNT_BYTES) {
        return { kernelEpoch, accounts: undefined, reason: 'written by another version' };
      }
      const cpus = info.readUInt32LE(MAX_ENTRIES);
      const mapping = libbpf.mmap(fd, { offset: 0, bytes: cpus * ACCOUNT_BYTES, writable: false });
      if (typeof mapping === 'number')
        return { kernelEpoch, accounts: undefined, reason: errnoName(mapping) };
      const words = new BigUint64Array(mapping.memory, mapping.offset, (cpus * ACCOUNT_BYTES) / 8);
      const accounts = createAccounts(words, cpus).sample();
      mapping.unmap();
      return { kernelEpoch, accounts, reason: accounts ? '' : 'an event is under way' };
    } finally {
      closeSync(fd);
    }
  }

  function names(pattern: RegExp): string[] {
    try {
      return readdirSync(folder).filter((name) => pattern.test(name));
    } catch {
      return [];
    }
  }

  function remove(path: string): void {
    unless(['ENOENT'], () => unlinkSync(path));
    // The last pin takes the instance's folder with it; the one above may be another agent's, under another user.
    unless(['ENOENT', 'ENOTEMPTY', 'EACCES', 'EPERM'], () => rmdirSync(folder));
  }

  return {
    folder,
    open() {
      try {
        if (statfsSync(config.bpffs).type !== BPFFS_MAGIC) {
          const mounted = libbpf.mountBpffs(config.bpffs);
          if (mounted < 0) return `cannot mount bpffs at ${config.bpffs} (${errnoName(mounted)})`;
        }
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        return '';
      } catch (error) {
        return `cannot use ${folder} (${error instanceof Error ? error.message : String(error)})`;
      }
    },
    pinAccounts(map, kernelEpoch) {
      const result = libbpf.pin(map, pathOf(kernelEpoch));
      return result < 0 ? `cannot pin ${pathOf(kernelEpoch)} (${errnoName(result)})` : '';
    },
    connections(layout) {
      const fd = libbpf.get(join(folder, `connections-${layout}`));
      return fd < 0 ? undefined : fd;
    },
    pinConnections(map, layout) {
      const path = join(folder, `connections-${layout}`);
      for (const name of names(/^connections-/))
        if (join(folder, name) !== path) unlinkSync(join(folder, name));
      const result = libbpf.pin(map, path);
      return result < 0 && errnoName(result) !== 'EEXIST' ? `cannot pin ${path} (${errnoName(result)})` : '';
    },
    unpinConnections() {
      for (const name of names(/^connections-/)) remove(join(folder, name));
    },
    stale(current) {
      return names(/^accounts-\d+$/)
        .map((name) => Number(name.replace('accounts-', '')))
        .filter((kernelEpoch) => kernelEpoch !== current)
        .sort((a, b) => a - b)
        .map(read);
    },
    unpin: (kernelEpoch) => remove(pathOf(kernelEpoch)),
  };
}

function unless(codes: readonly string[], act: () => void): void {
  try {
    act();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (!codes.includes(code)) throw error;
  }
}
