/** Which programs the kernel takes, and their loading and attaching. */

import { closeSync } from 'node:fs';
import type { BatchEnvelope, Health } from '@tcptrail/schemas/batch.ts';
import { openCgroupRoot } from './cgroup-root.ts';
import { CONTROL_MAP } from './control.ts';
import { errnoName } from './errno.ts';
import { traceError } from './errors.ts';
import { HOOKS, type Hook } from './hooks.ts';
import {
  KEPT_MAPS,
  type KernelObject,
  loadObject,
  type ObjectConfig,
  type Refusal,
  refusalReason,
  wasInterrupted,
} from './kernel-object.ts';
import { type KernelState, mapName, releaseState } from './kernel-state.ts';
import type { Handle, Libbpf } from './libbpf.ts';
import { coreRefused } from './requirements.ts';
import { runScans } from './scan.ts';
import { TUNABLES_MAP } from './tunables.ts';

export type Capability = Health['capabilities'][number];

/** What was made in the kernel, by name, as file descriptors that the caller owns. */
export type Attached = Omit<KernelState, 'kernelEpoch'> & {
  /** Every program that was tried; `cost` says what is missing without it. */
  readonly capabilities: readonly Capability[];
};

export interface Loaded {
  /** Attached, but for the iterators that run once. */
  readonly attached: Attached;
  /** Runs those, and gives back what only loading needed. Gives what could not run. */
  scan(): readonly { readonly program: string; readonly error: string }[];
}

interface Choice {
  readonly hook: Hook;
  /** undefined: none of the variants loads. */
  readonly program: string | undefined;
  readonly refused: readonly Capability[];
}

const ALL = HOOKS.flatMap(({ variants }) => variants.map(({ program }) => program));
/** Maps that make a state: what is read of it, what is written, what another one goes on with. */
const MAPS = ['accounts', 'lifecycle', 'chatter', '.rodata.layout', TUNABLES_MAP, CONTROL_MAP, ...KEPT_MAPS];
/** Rings of a trial load: the least the kernel takes on any page size. */
const TRIAL_RING_BYTES = 64 << 10;
/** struct bpf_prog_info: its size, and where recursion_misses (5.12) stands. */
const PROG_INFO_BYTES = 232;
const RECURSION_MISSES = 208;

const isObject = (loaded: KernelObject | Refusal): loaded is KernelObject => 'program' in loaded;

function tryVariants(libbpf: Libbpf, config: ObjectConfig, hook: Hook): Choice {
  const trial = {
    ...config,
    ring: { lifecycleBytes: TRIAL_RING_BYTES, chatterBytes: TRIAL_RING_BYTES },
    kept: undefined,
  };
  const refused: Capability[] = [];
  for (const { program, cost } of hook.variants) {
    const loaded = loadObject(libbpf, trial, { all: ALL, programs: [program], logFor: program });
    if (isObject(loaded)) {
      loaded.close();
      return { hook, program, refused };
    }
    if (hook.core) throw coreRefused(libbpf, program, loaded);
    refused.push({ program, attached: false, error: withRemedy(hook.runs, refusalReason(loaded)), cost });
  }
  return { hook, program: undefined, refused };
}

/** All at once, best variants; where that fails, each by itself. Throws TRACE_KERNEL, TRACE_INTERRUPTED, TRACE_OBJECT. */
function load(
  libbpf: Libbpf,
  config: ObjectConfig,
  hooks: readonly Hook[],
): { object: KernelObject; choices: readonly Choice[] } {
  const best = hooks.map((hook): Choice => ({ hook, program: hook.variants[0].program, refused: [] }));
  const attempt = (choices: readonly Choice[]) =>
    loadObject(libbpf, config, { all: ALL, programs: choices.flatMap(({ program }) => program ?? []) });
  const first = attempt(best);
  if (isObject(first)) return { object: first, choices: best };
  const choices = hooks.map((hook) => tryVariants(libbpf, config, hook));
  const second = attempt(choices);
  if (isObject(second)) return { object: second, choices };
  if (wasInterrupted(second)) throw traceError('TRACE_INTERRUPTED', 'its programs together');
  throw traceError(
    'TRACE_KERNEL',
    `the kernel takes each program but not all together: ${refusalReason(second)}`,
  );
}

/**
 * Loads and attaches. Throws TRACE_KERNEL when a core program is refused, TRACE_INTERRUPTED when nothing can be said
 * of it, TRACE_OBJECT; nothing stays in the kernel then.
 */
export function attachPrograms(libbpf: Libbpf, config: ObjectConfig, hooks: readonly Hook[] = HOOKS): Loaded {
  const { object, choices } = load(libbpf, config, hooks);
  const cgroup = openCgroupRoot();
  const capabilities: Capability[] = [];
  const scans: string[] = [];
  const programs = new Map<string, number>();
  const links = new Map<string, number>();

  function linkOf({ runs }: Hook, program: Handle): Handle {
    if (typeof runs === 'object') return libbpf.attachIterator(program, libbpf.mapFd(object.map(runs.watch)));
    return runs === 'cgroup' && typeof cgroup === 'number'
      ? libbpf.attachCgroup(program, cgroup)
      : libbpf.attach(program);
  }
  /** '' or why it does not run. */
  function attach(hook: Hook, program: string): string {
    const handle = object.program(program);
    if (hook.runs === 'cgroup' && typeof cgroup !== 'number') return cgroup.missing;
    if (hook.runs === 'scan') {
      scans.push(program);
    } else {
      const link = linkOf(hook, handle);
      if (link < 0) return withRemedy(hook.runs, errnoName(link));
      // It stays attached as long as a descriptor of it is open.
      links.set(program, libbpf.duplicate(libbpf.linkFd(link)));
      libbpf.detach(link);
    }
    programs.set(program, libbpf.duplicate(libbpf.programFd(handle)));
    return '';
  }

  for (const { hook, program, refused } of choices) {
    capabilities.push(...refused);
    if (program === undefined) continue;
    const cost = costOf(hook, program);
    const error = attach(hook, program);
    capabilities.push({ program, attached: error === '', error, cost });
    if (error === '' || !hook.core) continue;
    releaseState({ kernelEpoch: 0, maps: new Map(), programs, links });
    object.close();
    throw traceError('TRACE_KERNEL', `the kernel refuses to attach ${program} (${error})`);
  }
  if (typeof cgroup === 'number') closeSync(cgroup);
  const maps = new Map(MAPS.map((name) => [mapName(name), libbpf.duplicate(libbpf.mapFd(object.map(name)))]));
  return {
    attached: { maps, programs, links, capabilities },
    scan() {
      const refused = runScans(libbpf, { scans, object });
      object.close();
      return refused;
    },
  };
}

/**
 * Of a state that another run of the agent made: what has a descriptor runs. Why another does not is asked of the
 * kernel again.
 */
export function capabilitiesOf(
  libbpf: Libbpf,
  config: ObjectConfig,
  state: Pick<KernelState, 'programs'>,
  hooks: readonly Hook[] = HOOKS,
): readonly Capability[] {
  return hooks.flatMap((hook) => {
    const program = hook.variants.find((variant) => state.programs.has(variant.program))?.program;
    const runs =
      program === undefined ? [] : [{ program, attached: true, error: '', cost: costOf(hook, program) }];
    if (program === hook.variants[0].program) return runs;
    const tried = tryVariants(libbpf, config, hook);
    const better = tried.refused.filter((refused) => refused.program !== program);
    if (program !== undefined || tried.program === undefined) return [...better, ...runs];
    const error = 'it was not attached when the programs were, and is tried again when they are';
    return [...better, { program: tried.program, attached: false, error, cost: costOf(hook, tried.program) }];
  });
}

/** Less those that a spare program did instead: `recovered`, to be read before. Of spares, none is missing. */
export function skippedRuns(
  libbpf: Pick<Libbpf, 'info'>,
  programs: KernelState['programs'],
  { recovered, absent }: { readonly recovered: number; readonly absent: number },
): BatchEnvelope['programs'][number][] {
  const spared = HOOKS.flatMap(({ spareOf, variants }) =>
    spareOf !== undefined && variants.some(({ program }) => programs.has(program)) ? [spareOf] : [],
  );
  const skipped = (fd: number) =>
    Number(libbpf.info(fd, PROG_INFO_BYTES)?.readBigUInt64LE(RECURSION_MISSES) ?? 0n);
  return [...programs].flatMap(([program, fd]) => {
    const hook = HOOKS.find(({ variants }) => variants.some((variant) => variant.program === program));
    if (!hook || hook.spareOf !== undefined || (hook.runs !== undefined && hook.runs !== 'cgroup')) return [];
    return [
      {
        program,
        skipped_runs: Math.max(0, skipped(fd) - (spared.includes(program) ? recovered : 0)),
        // Only state changes are counted then.
        absent_runs: hook.core ? absent : 0,
      },
    ];
  });
}

/** Capabilities of those programs that failed later say so. */
export function withFailures(
  capabilities: readonly Capability[],
  failures: readonly { readonly program: string; readonly error: string }[],
): readonly Capability[] {
  return capabilities.map((capability) => {
    const failure = failures.find(({ program }) => program === capability.program);
    return failure ? { ...capability, attached: false, error: failure.error } : capability;
  });
}

function costOf({ variants }: Hook, program: string): string {
  return variants.find((variant) => variant.program === program)?.cost ?? '';
}

/** Programs at a cgroup belong to the network: they take a right that the others do not. */
function withRemedy(runs: Hook['runs'], reason: string): string {
  return runs === 'cgroup' && reason.endsWith('EPERM') ? `${reason}; give the agent CAP_NET_ADMIN` : reason;
}
