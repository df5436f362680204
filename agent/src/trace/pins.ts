/**
 * The kernel state that outlives the agent, on bpffs at `tcptrail/<instance>/`.
 *
 * `control`: which state records. `kept-<storage layout>/`: maps that every state with this layout goes on with, so that
 * a connection keeps its identity, its owner and its beginning. `<kernel epoch>-<layout>/`: one state, its maps,
 * programs and links; `making-…` until it is whole.
 */
import {
  closeSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  statfsSync,
  unlinkSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import type { Libc } from '../libc.ts';
import { errnoName } from './errno.ts';
import { traceError } from './errors.ts';
import { lockFolder } from './folder-lock.ts';
import { type KernelState, releaseState } from './kernel-state.ts';
import type { Libbpf } from './libbpf.ts';
import { BPFFS } from './mounts.ts';

const BPFFS_MAGIC = 0xcafe4a11;
const KINDS = ['maps', 'programs', 'links'] as const;
const STATE = /^(\d+)-([0-9a-f]+)$/;
/** What belongs in the folder; all else is of a state that was never whole, or of a version that laid it out otherwise. */
const KNOWN = /^(control|kept-[0-9a-f]+|\d+-[0-9a-f]+)$/;

const TRIAL = 'making-trial';

/** A state that is whole. */
export interface PinnedState {
  readonly kernelEpoch: number;
  /** Of the object and what it was loaded with. */
  readonly layout: string;
}

export interface Pins {
  /** Folder of the instance. */
  readonly folder: string;
  /**
   * Takes the folder for this process, and removes what nobody goes on with. '' or why nothing can be kept: the agent
   * goes on without. Throws TRACE_STATE_HELD.
   */
  open(): string;
  /** Another process may take it. */
  close(): void;
  /** Oldest first. */
  states(): readonly PinnedState[];
  /** '' or why not; then nothing of it is kept. */
  save(state: KernelState, layout: string): string;
  /** Throws TRACE_PIN. */
  load(pinned: PinnedState): KernelState;
  /** Its programs run no more once their last file descriptor is closed. '' or why they stay pinned. */
  removeLinks(kernelEpoch: number): string;
  /** '' or why it stays. */
  remove(kernelEpoch: number): string;
  /** File descriptors of the maps kept under this layout, by name; none when there are none. Throws TRACE_PIN. */
  kept(layout: string): ReadonlyMap<string, number>;
  /** '' or why not. What was kept under other layouts goes. */
  keep(maps: ReadonlyMap<string, number>, layout: string): string;
  /** File descriptor; undefined when there is none. */
  control(): number | undefined;
  /** '' or why not. */
  saveControl(fd: number): string;
  /** All of the instance. '' or why it stays. */
  removeAll(): string;
  /** The folder, if nothing is pinned in it. */
  tidy(): void;
}

export function createPins(
  config: { readonly instance: string; readonly bpffs: string },
  deps: {
    readonly libbpf: Pick<Libbpf, 'get' | 'mountBpffs' | 'pin'>;
    readonly libc: Pick<Libc, 'lock'>;
  },
): Pins {
  const { libbpf, libc } = deps;
  const folder = join(config.bpffs, 'tcptrail', config.instance);
  let lock: number | undefined;
  const pathOf = ({ kernelEpoch, layout }: PinnedState): string => join(folder, `${kernelEpoch}-${layout}`);

  function pin(fd: number, path: string): string {
    const result = libbpf.pin(fd, path);
    return result < 0 ? `cannot pin ${path} (${errnoName(result)})` : '';
  }

  /** '' or why not all of them. */
  function pinAll(fds: ReadonlyMap<string, number>, path: string): string {
    const unmade = reasonNot(() => mkdirSync(path, { recursive: true, mode: 0o700 }));
    if (unmade !== '') return unmade;
    for (const [name, fd] of fds) {
      const problem = pin(fd, join(path, name));
      if (problem !== '') return problem;
    }
    return '';
  }

  function getAll(path: string): ReadonlyMap<string, number> {
    const fds = new Map<string, number>();
    for (const name of namesIn(path)) {
      const fd = libbpf.get(join(path, name));
      if (fd >= 0) {
        fds.set(name, fd);
        continue;
      }
      for (const opened of fds.values()) closeSync(opened);
      throw traceError('TRACE_PIN', `${join(path, name)} (${errnoName(fd)})`);
    }
    return fds;
  }

  function states(): readonly PinnedState[] {
    return namesIn(folder)
      .map((name) => STATE.exec(name))
      .filter((match) => match !== null)
      .map(([, epoch, layout = '']) => ({ kernelEpoch: Number(epoch), layout }))
      .sort((a, b) => a.kernelEpoch - b.kernelEpoch);
  }

  const ofEpoch = (kernelEpoch: number): readonly PinnedState[] =>
    states().filter((state) => state.kernelEpoch === kernelEpoch);

  return {
    folder,
    open() {
      try {
        if (statfsSync(config.bpffs).type !== BPFFS_MAGIC) {
          const mounted = libbpf.mountBpffs(config.bpffs);
          if (mounted < 0) return `cannot mount bpffs at ${config.bpffs} (${errnoName(mounted)})`;
        }
        removeEmptied(dirname(folder));
        for (const path of [dirname(folder), folder]) makeFolder(path);
        lock = lockFolder(folder, libc.lock);
        if (lock === undefined) throw traceError('TRACE_STATE_HELD', folder);
        // Whether anything can be made there.
        makeFolder(join(folder, TRIAL));
        removeEntries(folder, (name) => !KNOWN.test(name));
        return '';
      } catch (error) {
        if (error instanceof AppError) throw error;
        return `cannot use ${folder} (${reasonOf(error)})`;
      }
    },
    close() {
      if (lock !== undefined) closeSync(lock);
      lock = undefined;
    },
    states,
    save(state, layout) {
      const making = join(folder, `making-${state.kernelEpoch}`);
      for (const kind of KINDS) {
        const problem = pinAll(state[kind], join(making, kind));
        if (problem === '') continue;
        reasonNot(() => removeTree(making));
        return problem;
      }
      return reasonNot(() => renameSync(making, pathOf({ kernelEpoch: state.kernelEpoch, layout })));
    },
    load(pinned) {
      const path = pathOf(pinned);
      const state = { maps: NONE, programs: NONE, links: NONE, kernelEpoch: pinned.kernelEpoch };
      try {
        for (const kind of KINDS) state[kind] = getAll(join(path, kind));
      } catch (error) {
        releaseState(state);
        throw error;
      }
      return state;
    },
    removeLinks: (kernelEpoch) =>
      reasonNot(() => {
        for (const state of ofEpoch(kernelEpoch)) removeTree(join(pathOf(state), 'links'));
      }),
    remove: (kernelEpoch) =>
      reasonNot(() => {
        for (const state of ofEpoch(kernelEpoch)) removeTree(pathOf(state));
      }),
    kept: (layout) => getAll(join(folder, `kept-${layout}`)),
    keep(maps, layout) {
      const name = `kept-${layout}`;
      const others = namesIn(folder).filter((other) => other.startsWith('kept-') && other !== name);
      // One that stays costs memory alone.
      for (const other of others) reasonNot(() => removeTree(join(folder, other)));
      if (namesIn(join(folder, name)).length > 0) return '';
      // Whole or not at all: a state that went on with some of them would not know what another one wrote of the rest.
      const making = join(folder, 'making-kept');
      const problem = pinAll(maps, making) || reasonNot(() => renameSync(making, join(folder, name)));
      if (problem !== '') reasonNot(() => removeTree(making));
      return problem;
    },
    control() {
      const fd = libbpf.get(join(folder, 'control'));
      return fd < 0 ? undefined : fd;
    },
    saveControl: (fd) => pin(fd, join(folder, 'control')),
    removeAll: () => reasonNot(() => removeTree(folder)),
    tidy: () => unless(['ENOENT', 'ENOTEMPTY'], () => rmdirSync(folder)),
  };
}

const NONE: ReadonlyMap<string, number> = new Map();

/** '' or why the file system refuses. */
function reasonNot(act: () => unknown): string {
  try {
    act();
    return '';
  } catch (error) {
    return reasonOf(error);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whether the kernel holds something of the instance. */
export function isPinned(instance: string, bpffs = BPFFS): boolean {
  return namesIn(join(bpffs, 'tcptrail', instance)).length > 0;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

/**
 * Folders of instances that ended as another user than the one that the folder above is shared with: they could empty
 * theirs, not remove it. One that is root's may be of an agent that starts.
 */
function removeEmptied(shared: string): void {
  for (const name of namesIn(shared)) {
    const path = join(shared, name);
    if (lstatSync(path, { throwIfNoEntry: false })?.uid === 0) continue;
    unless(['ENOENT', 'ENOTEMPTY', 'ENOTDIR', 'EACCES', 'EPERM'], () => rmdirSync(path));
  }
}

/** Unlinks what is pinned there and removes the folders; one that stands in another user's folder stays, empty. */
export function removeTree(folder: string): void {
  removeEntries(folder);
  unless(['ENOENT', 'ENOTEMPTY', 'EACCES', 'EPERM'], () => rmdirSync(folder));
}

function removeEntries(folder: string, which: (name: string) => boolean = () => true): void {
  for (const entry of entriesOf(folder)) {
    if (!which(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) removeTree(path);
    else unless(['ENOENT'], () => unlinkSync(path));
  }
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

/** One at a time: of a read-only file system mkdir says otherwise only that something is not there. */
function makeFolder(path: string): void {
  unless(['EEXIST'], () => mkdirSync(path, { mode: 0o700 }));
}

function unless(codes: readonly string[], act: () => void): void {
  try {
    act();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (!codes.includes(code)) throw error;
  }
}
