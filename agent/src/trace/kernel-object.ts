/** One opening of the BPF object: sizes and constants set, chosen programs loaded. */
import { traceError } from './errors.ts';
import { errnoName, type Handle, type Libbpf } from './libbpf.ts';
import { TUNABLES_MAP } from './tunables.ts';

export interface ObjectConfig {
  readonly path: string;
  readonly ring: { readonly lifecycleBytes: number; readonly chatterBytes: number };
  /** What the programs begin with. */
  readonly tunables: Buffer;
  /** Storage of an earlier agent, as a map's file descriptor; not used in trials. */
  readonly connectionsFd?: number | undefined;
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
  if (config.connectionsFd !== undefined) libbpf.reuse(map('connections'), config.connectionsFd);
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
