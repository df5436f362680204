/**
 * What /proc still tells about a process the kernel named, and what the kernel side kept of it: executables, command
 * line, cgroup, namespace.
 *
 * A pid is reused; its start time is not. Everything is read first and the start time last: when it matches, all
 * of it was of that process, and a parent that is still its parent cannot have been reused either.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { cgroupFacts, cgroupPath } from './cgroup.ts';
import { createLru } from './lru.ts';

/** A process as the ring record names it; pid 0 = none, only the cgroup of its socket. */
export interface ProcessKey {
  readonly pid: number;
  /** Start of the process, ns since boot. */
  readonly startNs: bigint;
  /** Programs it had run before this one. */
  readonly execId: number;
  readonly comm: string;
  readonly parentPid: number;
  /** 0 = none. */
  readonly cgroupId: number;
}

/** The agent's rows of an owner. '' and 0 where the process was gone or not readable. */
export interface ProcessFacts {
  readonly executable: string;
  readonly command_line: string;
  readonly parent_executable: string;
  readonly cgroup_path: string;
  readonly container_id: string;
  readonly pod_uid: string;
  readonly systemd_unit: string;
  readonly process_network_namespace: number;
}

/** What the kernel side kept of processes and cgroups that may be gone; undefined where it kept nothing. */
export interface KernelNames {
  executable(
    process: Pick<ProcessKey, 'pid' | 'startNs' | 'execId'>,
  ): { readonly path: string; readonly parent: Pick<ProcessKey, 'pid' | 'startNs' | 'execId'> } | undefined;
  cgroupPath(id: number): string | undefined;
}

export interface ProcessCounters {
  /** Processes looked up, cached ones not counted. */
  readonly read: number;
  /** Gone, or the pid already belongs to another process. */
  readonly gone: number;
  /** There, but /proc refused its executable. */
  readonly unreadable: number;
}

export interface ProcessConfig {
  /** What is recorded of a command line, its arguments parted by NUL; undefined: it is not read. */
  readonly commandLine?: ((args: string) => string) | undefined;
  /** What is recorded of a path; undefined: all of it. */
  readonly path?: ((path: string) => string) | undefined;
}

export interface Processes {
  facts(key: ProcessKey): ProcessFacts;
  /** From now on; what is known of processes is looked up anew. */
  configure(config: ProcessConfig): void;
  counters(): ProcessCounters;
}

/** /proc shows times in hundredths of a second on every architecture (USER_HZ). */
const TICK_NS = 10_000_000n;
const COMMAND_LINE_CHARS_MAX = 4_096;

export function createProcesses(
  config: ProcessConfig & { readonly entriesMax?: number },
  deps: { readonly procPath?: string; readonly names?: () => KernelNames } = {},
): Processes {
  const proc = deps.procPath ?? '/proc';
  const entriesMax = config.entriesMax ?? 8_192;
  let known = createLru<string, ProcessFacts>(entriesMax);
  let shown: ProcessConfig = config;
  let read = 0;
  let gone = 0;
  let unreadable = 0;

  /** The executables are those of the moment the process got its socket, whatever became of it. */
  function fromKernel(key: ProcessKey): { readonly executable: string; readonly parentExecutable: string } {
    const found = deps.names?.().executable(key);
    const parent = found?.parent.pid === key.parentPid ? deps.names?.().executable(found.parent) : undefined;
    return { executable: found?.path ?? '', parentExecutable: parent?.path ?? '' };
  }

  /** As it was when the process got its socket; it may have moved since. */
  const pathOfCgroup = (id: number): string => (id === 0 ? '' : (deps.names?.().cgroupPath(id) ?? ''));

  function factsOf(found: Found): ProcessFacts {
    const path = shown.path ?? ((text) => text);
    const cgroup = path(found.path);
    return {
      executable: path(found.executable ?? ''),
      command_line: found.commandLine ?? '',
      parent_executable: path(found.parentExecutable ?? ''),
      cgroup_path: cgroup,
      ...cgroupFacts(cgroup),
      process_network_namespace: found.namespace ?? 0,
    };
  }

  function look(key: ProcessKey): ProcessFacts {
    const kept = fromKernel(key);
    const kernelPath = pathOfCgroup(key.cgroupId);
    const folder = `${proc}/${key.pid}`;
    const executable = link(`${folder}/exe`);
    const parentExecutable = key.parentPid > 0 ? link(`${proc}/${key.parentPid}/exe`) : '';
    const cgroup = cgroupPath(text(`${folder}/cgroup`));
    const commandLine = shown.commandLine?.(text(`${folder}/cmdline`)) ?? '';
    const namespace = /\[(\d+)\]/.exec(link(`${folder}/ns/net`))?.[1];
    const stat = parseStat(text(`${folder}/stat`));

    read += 1;
    if (stat?.startTicks !== Number(key.startNs / TICK_NS)) {
      gone += 1;
      return factsOf({ path: kernelPath, ...kept });
    }
    if (executable === '' && !isKernelThread(stat.flags)) unreadable += 1;
    return factsOf({
      // Where processes live in v1 hierarchies, the one of v2 is the root and says nothing.
      path: kernelPath === '' || kernelPath === '/' ? cgroup : kernelPath,
      executable: kept.executable || executable,
      parentExecutable: kept.parentExecutable || (stat.parentPid === key.parentPid ? parentExecutable : ''),
      commandLine: commandLine.slice(0, COMMAND_LINE_CHARS_MAX),
      namespace: Number(namespace ?? 0),
    });
  }

  return {
    facts(key) {
      if (key.pid === 0) return factsOf({ path: pathOfCgroup(key.cgroupId) });
      const name = `${key.pid} ${key.startNs} ${key.execId} ${key.parentPid} ${key.cgroupId} ${key.comm}`;
      const cached = known.get(name);
      if (cached) return cached;
      const facts = look(key);
      known.set(name, facts);
      return facts;
    },
    configure(next) {
      known = createLru(entriesMax);
      shown = next;
    },
    counters: () => ({ read, gone, unreadable }),
  };
}

interface Found {
  readonly path: string;
  readonly executable?: string;
  readonly parentExecutable?: string;
  readonly commandLine?: string;
  readonly namespace?: number;
}

interface Stat {
  readonly parentPid: number;
  readonly flags: number;
  readonly startTicks: number;
}

/** proc(5): fields 4, 9 and 22; the name in field 2 may hold blanks and parentheses. */
function parseStat(line: string): Stat | undefined {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  if (fields.length < 20) return undefined;
  return { parentPid: Number(fields[1]), flags: Number(fields[6]), startTicks: Number(fields[19]) };
}

/** PF_KTHREAD: a kernel thread has no executable to read. */
function isKernelThread(flags: number): boolean {
  return (flags & 0x0020_0000) !== 0;
}

/** '' when it cannot be read. A replaced file is still called by its name. */
function link(path: string): string {
  try {
    return readlinkSync(path).replace(/ \(deleted\)$/, '');
  } catch {
    return '';
  }
}

function text(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
