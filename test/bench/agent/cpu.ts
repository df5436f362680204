/**
 * CPU time of the whole machine and of its processes, told apart.
 *
 * A process's time is exact (the scheduler's run time, softirqs that ran on top included, shown in hundredths of a
 * second). The machine's is counted by ticks and idle time, and holds what no process was charged with.
 */
import { readdirSync, readFileSync } from 'node:fs';

export interface CpuTime {
  readonly userUs: number;
  readonly systemUs: number;
}

interface Process extends CpuTime {
  /** Of children that ended and were waited for. */
  readonly childrenUs: number;
  readonly isKernelThread: boolean;
}

export interface CpuSnapshot {
  /** All that was not idle. */
  readonly busyUs: number;
  readonly processes: ReadonlyMap<number, Process>;
}

export interface CpuUsed {
  /** All of the machine but the processes that have no part in it: what others did meanwhile is taken off. */
  readonly machineUs: number;
  readonly kernelThreadsUs: number;
  of(pid: number): CpuTime;
}

/** USER_HZ is 100 on every architecture. */
const TICK_US = 10_000;
const PF_KTHREAD = 0x0020_0000;
const NONE: Process = { userUs: 0, systemUs: 0, childrenUs: 0, isKernelThread: false };

export function cpuSnapshot(): CpuSnapshot {
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  return {
    busyUs: busyUs(),
    processes: new Map(pids.map((pid) => [pid, readProcess(pid)])),
  };
}

/** `parts`: the processes whose work is measured; kernel threads have their part in everything. */
export function cpuBetween(before: CpuSnapshot, after: CpuSnapshot, parts: readonly number[]): CpuUsed {
  let bystandersUs = 0;
  let kernelThreadsUs = 0;
  // What a bystander that ended had used is in its parent's children's time, what it had before included.
  for (const [sign, snapshot] of [[1, after] as const, [-1, before] as const]) {
    for (const [pid, process] of snapshot.processes) {
      if (process.isKernelThread) kernelThreadsUs += sign * process.systemUs;
      else if (!parts.includes(pid)) bystandersUs += sign * allUs(process);
    }
  }
  return {
    machineUs: after.busyUs - before.busyUs - bystandersUs,
    kernelThreadsUs,
    of(pid) {
      const [first, last] = [before.processes.get(pid) ?? NONE, after.processes.get(pid) ?? NONE];
      return { userUs: last.userUs - first.userUs, systemUs: last.systemUs - first.systemUs };
    },
  };
}

/** So far, user and system. */
export function cpuOf(pid: number): number {
  const { userUs, systemUs } = readProcess(pid);
  return userUs + systemUs;
}

function allUs({ userUs, systemUs, childrenUs }: Process): number {
  return userUs + systemUs + childrenUs;
}

/** proc(5), /proc/stat: user, nice, system, idle, iowait, irq, softirq. */
function busyUs(): number {
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n', 1);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = line.split(/\s+/).slice(1).map(Number);
  return (user + nice + system + irq + softirq) * TICK_US;
}

/** proc(5), /proc/<pid>/stat: fields 9 and 14 to 17. Nothing when it has ended. */
function readProcess(pid: number): Process {
  let line = '';
  try {
    line = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return NONE;
  }
  const fields = line
    .slice(line.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [user = 0, system = 0, childrenUser = 0, childrenSystem = 0] = fields.slice(11, 15);
  return {
    userUs: user * TICK_US,
    systemUs: system * TICK_US,
    childrenUs: (childrenUser + childrenSystem) * TICK_US,
    isKernelThread: ((fields[6] ?? 0) & PF_KTHREAD) !== 0,
  };
}
