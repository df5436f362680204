/** Which programs the kernel takes, and their loading and attaching. */

import { closeSync } from 'node:fs';
import type { BatchEnvelope, Health } from '@tcptrail/schemas/batch.ts';
import { openCgroupRoot } from './cgroup-root.ts';
import { traceError } from './errors.ts';
import { HOOKS, type Hook } from './hooks.ts';
import {
  type KernelObject,
  loadObject,
  type ObjectConfig,
  type Refusal,
  refusalReason,
  wasInterrupted,
} from './kernel-object.ts';
import { errnoName, type Handle, type Libbpf } from './libbpf.ts';
import { coreRefused } from './requirements.ts';

export type Capability = Health['capabilities'][number];

export interface Programs {
  readonly object: KernelObject;
  /** Every program that was tried; `cost` says what is missing without it. */
  readonly capabilities: readonly Capability[];
  /** Iterators that run once. */
  readonly scans: readonly string[];
  /** Iterators that run again and again, and the maps they walk. */
  readonly watches: readonly { readonly program: string; readonly map: string }[];
  /** Less those that a spare program did instead: `recovered`, to be read before. Of spares, none is missing. */
  skippedRuns(recovered: number): BatchEnvelope['programs'][number][];
  detach(): void;
}

interface Choice {
  readonly hook: Hook;
  /** undefined: none of the variants loads. */
  readonly program: string | undefined;
  readonly refused: readonly Capability[];
}

const ALL = HOOKS.flatMap(({ variants }) => variants.map(({ program }) => program));
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
    connectionsFd: undefined,
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

/** Throws TRACE_KERNEL when a core program is refused, TRACE_INTERRUPTED when nothing can be said of it. */
export function attachPrograms(
  libbpf: Libbpf,
  config: ObjectConfig,
  hooks: readonly Hook[] = HOOKS,
): Programs {
  const { object, choices } = load(libbpf, config, hooks);
  const cgroup = openCgroupRoot();
  const capabilities: Capability[] = [];
  const scans: string[] = [];
  const watches: { readonly program: string; readonly map: string }[] = [];
  const running: { readonly program: string; readonly fd: number; readonly spareOf: string | undefined }[] =
    [];
  const links: Handle[] = [];
  const detach = (): void => {
    for (const link of links.splice(0).reverse()) libbpf.detach(link);
  };
  /** '' or why it does not run. */
  function attach({ runs, spareOf }: Hook, program: string): string {
    if (typeof runs === 'object') watches.push({ program, map: runs.watch });
    else if (runs === 'scan') scans.push(program);
    else {
      const handle = object.program(program);
      if (runs === 'cgroup' && typeof cgroup !== 'number') return cgroup.missing;
      const link =
        typeof cgroup === 'number' && runs === 'cgroup'
          ? libbpf.attachCgroup(handle, cgroup)
          : libbpf.attach(handle);
      if (link < 0) return withRemedy(runs, errnoName(link));
      links.push(link);
      running.push({ program, fd: libbpf.programFd(handle), spareOf });
    }
    return '';
  }

  for (const { hook, program, refused } of choices) {
    capabilities.push(...refused);
    if (program === undefined) continue;
    const cost = hook.variants.find((variant) => variant.program === program)?.cost ?? '';
    const error = attach(hook, program);
    capabilities.push({ program, attached: error === '', error, cost });
    if (error === '' || !hook.core) continue;
    detach();
    object.close();
    throw traceError('TRACE_KERNEL', `the kernel refuses to attach ${program} (${error})`);
  }
  if (typeof cgroup === 'number') closeSync(cgroup);
  return {
    object,
    capabilities,
    scans,
    watches,
    skippedRuns(recovered) {
      const hasSpare = (program: string) => running.some(({ spareOf }) => spareOf === program);
      const skipped = (fd: number) =>
        Number(libbpf.info(fd, PROG_INFO_BYTES)?.readBigUInt64LE(RECURSION_MISSES) ?? 0n);
      return running
        .filter(({ spareOf }) => spareOf === undefined)
        .map(({ program, fd }) => ({
          program,
          skipped_runs: Math.max(0, skipped(fd) - (hasSpare(program) ? recovered : 0)),
          absent_runs: 0,
        }));
    },
    detach,
  };
}

/** Programs at a cgroup belong to the network: they take a right that the others do not. */
function withRemedy(runs: Hook['runs'], reason: string): string {
  return runs === 'cgroup' && reason.endsWith('EPERM') ? `${reason}; give the agent CAP_NET_ADMIN` : reason;
}
