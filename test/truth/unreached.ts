/**
 * Calls of tracepoints that the kernel's own tracing counted and that reached no BPF program. A host may keep such
 * programs from running while a process is current that it shields from them: all that a softirq does which interrupts
 * that process is then unseen, by any tracer, and nothing counts it (docs/decisions/0012).
 */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ffi from 'ffi-napi';
import { createUndo } from '../harness/undo.ts';

export interface Reach {
  /** Ends the count; gives how many calls were unreached, or undefined where that cannot be known. */
  end(): number | undefined;
}

/** bpf(2), BPF_ENABLE_STATS: run times, and with them run counts. */
const BPF_STATS_RUN_TIME = 0;
/** Programs of the agent that are run at each such call. */
const TRACED = [
  { event: 'sock/inet_sock_set_state', programs: ['state'] },
  { event: 'tcp/tcp_retransmit_skb', programs: ['retransmit_err', 'retransmit'] },
] as const;

interface Program {
  readonly id: number;
  readonly name?: string;
  readonly run_cnt?: number;
  readonly recursion_misses?: number;
}

/** By program id, those of agents beside too. */
function callsOf(names: readonly string[]): ReadonlyMap<number, number> {
  const shown = execFileSync('bpftool', ['-j', 'prog', 'show'], { encoding: 'utf8', maxBuffer: 16 << 20 });
  return new Map(
    (JSON.parse(shown) as Program[])
      .filter(({ name = '' }) => names.includes(name))
      .map(({ id, run_cnt = 0, recursion_misses = 0 }) => [id, run_cnt + recursion_misses]),
  );
}

/** Records that a CPU's buffer of tracefs has, or had before newer ones. */
export function recordsOf(stats: string): number {
  return [...stats.matchAll(/^(?:entries|overrun|dropped events): (\d+)$/gm)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  );
}

/** More were traced than the program that had the most was run: so many reached none. undefined: no program stayed. */
export function unreachedOf(
  traced: number,
  before: ReadonlyMap<number, number>,
  after: ReadonlyMap<number, number>,
): number | undefined {
  const runs = [...before].flatMap(([id, count]) => {
    const now = after.get(id);
    return now === undefined ? [] : now - count;
  });
  return runs.length === 0 ? undefined : Math.max(0, traced - Math.max(...runs));
}

/** Programs' runs are counted until this is closed, whoever else counts them. */
function countRuns(): number {
  const { bpf_enable_stats } = ffi.Library('libbpf.so.1', { bpf_enable_stats: ['int', ['int']] });
  const fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
  if (fd < 0) throw new Error(`bpf_enable_stats gave ${fd}`);
  return fd;
}

/** Counts from now on; an agent runs already. undefined without tracefs or bpftool. */
export function watchReach(): Reach | undefined {
  const undo = createUndo();
  try {
    const tracefs = mkdtempSync(join(tmpdir(), 'tcptrail-tracefs-'));
    undo.push(() => rmdirSync(tracefs));
    execFileSync('mount', ['-t', 'tracefs', 'tracefs', tracefs], { stdio: 'ignore' });
    undo.push(() => execFileSync('umount', [tracefs]));
    // The programs' count includes that of the trace: it begins before and ends after.
    const stats = countRuns();
    undo.push(() => closeSync(stats));
    const counts = TRACED.map(({ event, programs }, index) => {
      const instance = join(tracefs, 'instances', `tcptrail-${process.pid}-${index}`);
      mkdirSync(instance);
      undo.push(() => rmdirSync(instance));
      const before = callsOf(programs);
      const isOn = join(instance, 'events', event, 'enable');
      writeFileSync(isOn, '1');
      return () => {
        writeFileSync(isOn, '0');
        return unreachedOf(tracedIn(instance), before, callsOf(programs));
      };
    });
    return {
      end() {
        try {
          const unreached = counts.map((count) => count());
          return unreached.reduce<number | undefined>(
            (sum, one) => (sum === undefined || one === undefined ? undefined : sum + one),
            0,
          );
        } finally {
          undo.all();
        }
      },
    };
  } catch {
    undo.all();
    return undefined;
  }
}

function tracedIn(instance: string): number {
  const cpus = join(instance, 'per_cpu');
  return readdirSync(cpus)
    .map((cpu) => recordsOf(readFileSync(join(cpus, cpu, 'stats'), 'utf8')))
    .reduce((sum, records) => sum + records, 0);
}
