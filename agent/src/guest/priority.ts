/** The place that the agent takes beside others: CPU, disk, and memory when there is none left (docs/decisions/0017). */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';

export const IO_CLASSES = ['unchanged', 'best_effort', 'idle'] as const;

export interface Priority {
  /** As nice(1). */
  readonly nice: number;
  /** `best_effort`: with its lowest level. */
  readonly ioClass: (typeof IO_CLASSES)[number];
  /** proc_pid_oom_score_adj(5). */
  readonly oomScoreAdjust: number;
}

/** A setting that the system refused. */
export interface Refused {
  readonly setting: 'guest.nice' | 'guest.ioClass' | 'guest.oomScoreAdjust';
  readonly reason: string;
}

/** ioprio_set(2) */
const IO_CLASS = { best_effort: 2, idle: 3 } as const;
const IO_LEVEL = { best_effort: 7, idle: 0 } as const;

/** Of all threads that there are; those to come take it over. */
export function takePriority(
  priority: Priority,
  libc: { setIoPriority(threadId: number, of: { ioClass: number; level: number }): number },
): readonly Refused[] {
  const { nice, ioClass, oomScoreAdjust } = priority;
  const threads = readdirSync('/proc/self/task').map(Number);
  const refused: Refused[] = [];
  function attempt(setting: Refused['setting'], set: () => void): void {
    try {
      set();
    } catch (error) {
      // Node's own calls have the system's code in `info`.
      const { code, info } = error as NodeJS.ErrnoException & { readonly info?: { readonly code?: string } };
      refused.push({ setting, reason: info?.code ?? code ?? String(error) });
    }
  }
  attempt('guest.nice', () => {
    for (const thread of threads) setPriority(thread, nice);
    if (isSessionLeader()) setSessionNice(nice);
  });
  if (ioClass !== 'unchanged') {
    const of = { ioClass: IO_CLASS[ioClass], level: IO_LEVEL[ioClass] };
    const failed = threads.map((thread) => libc.setIoPriority(thread, of)).find((errno) => errno !== 0);
    if (failed !== undefined) refused.push({ setting: 'guest.ioClass', reason: `errno ${failed}` });
  }
  attempt('guest.oomScoreAdjust', () => writeFileSync('/proc/self/oom_score_adj', `${oomScoreAdjust}`));
  return refused;
}

/** One that is not shares its session with others, such as the shell that it was started from. */
function isSessionLeader(): boolean {
  // proc_pid_stat(5): state, ppid, pgrp, session stand behind the name in brackets.
  const stat = readFileSync('/proc/self/stat', 'latin1');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3]) === process.pid;
}

/** sched(7), autogroup: where the kernel shares CPU out by session first, a thread's own value counts only within it. */
function setSessionNice(nice: number): void {
  try {
    writeFileSync('/proc/self/autogroup', `${nice}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
