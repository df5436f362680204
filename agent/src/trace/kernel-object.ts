/** One opening of the BPF object: sizes and constants set, chosen programs loaded. */

import { CONTROL_MAP } from './control.ts';
import { errnoName } from './errno.ts';
import { traceError } from './errors.ts';
import type { Handle, Libbpf } from './libbpf.ts';
import { TUNABLES_MAP } from './tunables.ts';

export interface ObjectConfig {
  readonly path: string;
  readonly ring: { readonly lifecycleBytes: number; readonly chatterBytes: number };
  /** What the programs begin with. */
  readonly tunables: Buffer;
  /** Maps of an earlier state to go on with, as file descriptors by name; not used in trials. */
  readonly kept?: ReadonlyMap<string, number> | undefined;
  /** The control of the instance, as a file descriptor; a new one when there is none. */
  readonly controlFd?: number | undefined;
}

export interface KernelObject {
  program(name: string): Handle;
  map(name: string): Handle;
  close(): void;
}

/** Why the kernel refused: `log` holds what its verifier said, '' when it was not asked. */
export interface Refusal {
  readonly errno: number;
  readonly log: string;
}

const LOG_BYTES = 4 << 20;
/** Each state goes on with those of the one before, if it lays them out alike (bpf/storage.layout). */
export const KEPT_MAPS = ['connections', 'handshakes', 'executables', 'cgroup_names'];

/** Loads `programs` and no other. `logFor` names the one whose refusal is explained. Throws TRACE_OBJECT. */
export function loadObject(
  libbpf: Libbpf,
  config: ObjectConfig,
  options: {
    readonly all: readonly string[];
    readonly programs: readonly string[];
    readonly logFor?: string;
  },
): KernelObject | Refusal {
  const object = libbpf.open(config.path);
  if (!object) throw traceError('TRACE_OBJECT', config.path);
  const found = (handle: Handle | undefined, name: string): Handle => {
    if (handle) return handle;
    libbpf.close(object);
    throw traceError('TRACE_OBJECT', `${config.path} (${name} is not in it)`);
  };
  const program = (name: string) => found(libbpf.program(object, name), name);
  const map = (name: string) => found(libbpf.map(object, name), name);

  for (const name of options.all) libbpf.setAutoload(program(name), options.programs.includes(name));
  libbpf.setMaxEntries(map('accounts'), libbpf.possibleCpus());
  libbpf.setMaxEntries(map('lifecycle'), config.ring.lifecycleBytes);
  libbpf.setMaxEntries(map('chatter'), config.ring.chatterBytes);
  for (const [name, fd] of config.kept ?? []) libbpf.reuse(map(name), fd);
  if (config.controlFd !== undefined) libbpf.reuse(map(CONTROL_MAP), config.controlFd);
  libbpf.setInitialValue(map(TUNABLES_MAP), config.tunables);
  const log = options.logFor === undefined ? undefined : Buffer.alloc(LOG_BYTES);
  if (log && options.logFor !== undefined) libbpf.setLog(program(options.logFor), log);
  const errno = libbpf.load(object);
  if (errno === 0) return { program, map, close: () => libbpf.close(object) };
  libbpf.close(object);
  return { errno, log: log ? log.toString('latin1', 0, Math.max(0, log.indexOf(0))) : '' };
}

/** Signals cut the verifier off every time that libbpf tried (5): says nothing of program or kernel. */
export const wasInterrupted = ({ errno }: Refusal): boolean => errnoName(errno) === 'EAGAIN';

/** What the kernel said, in a few words. */
export function refusalReason(refusal: Refusal): string {
  const { errno, log } = refusal;
  if (wasInterrupted(refusal)) return 'the kernel was interrupted while verifying it (EAGAIN); start again';
  if (errnoName(errno) === 'ESRCH' && log === '') return 'this kernel has no such tracepoint';
  const lines = log
    .split('\n')
    .filter((line) => line !== '' && !/^(processed|verification time|stack depth) /.test(line));
  return lines.length > 0 ? `${lines.at(-1)} (${errnoName(errno)})` : errnoName(errno);
}
