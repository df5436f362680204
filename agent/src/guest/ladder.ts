/**
 * Ceilings that the agent keeps itself: what it gives up, one step after another, while it takes more than it may, and
 * when each comes back. Pure: told the time and what is used.
 *
 * CPU is that of the agent's own threads since the last look; what its programs take in the kernel is charged to
 * those whose connections they record, and not in it.
 */

/** Something that the agent can do without. */
export interface Step {
  readonly name: string;
  /** Evidence that is missing meanwhile. */
  readonly cost: string;
  giveUp(): void;
  takeBack(): void;
  /** How many times as long as the others it waits to come back. */
  readonly patience?: number;
}

export interface Ceilings {
  /** Of one core; 0: none. */
  readonly cpuPercentMax: number;
  /** 0: none. */
  readonly memoryBytesMax: number;
  readonly checkMs: number;
  readonly quietMs: number;
}

export interface Usage {
  /** Since any fixed time. */
  readonly cpuUs: number;
  readonly memoryBytes: number;
}

export interface GivenUp {
  readonly name: string;
  readonly cost: string;
  /** The ceiling, its value and what was used. */
  readonly reason: string;
}

export interface Ladder {
  /** Looks at what is used, when it is time to; goes at most one step. */
  check(nowMs: number): void;
  /** Other ceilings, from the next look on. */
  configure(ceilings: Ceilings): void;
  /** In the order of giving up. */
  readonly givenUp: readonly GivenUp[];
}

/** Share of a ceiling below which it is quiet: a step that comes back must not cost it at once. */
const QUIET_SHARE = 0.8;

export function createLadder(
  first: Ceilings,
  deps: {
    /** In the order of giving up. */
    readonly steps: readonly Step[];
    readonly usage: () => Usage;
    readonly onGivenUp: (step: GivenUp) => void;
    readonly onTakenBack: (name: string) => void;
  },
): Ladder {
  const { steps, usage } = deps;
  let ceilings = first;
  let last: { readonly atMs: number; readonly cpuUs: number } | undefined;
  let quietSinceMs = 0;
  const givenUp: GivenUp[] = [];

  function giveUp(reason: string): void {
    const step = steps[givenUp.length];
    if (!step) return;
    step.giveUp();
    const { name, cost } = step;
    givenUp.push({ name, cost, reason });
    deps.onGivenUp({ name, cost, reason });
  }

  function takeBack(): void {
    const step = steps[givenUp.length - 1];
    if (!step) return;
    givenUp.pop();
    step.takeBack();
    deps.onTakenBack(step.name);
  }

  /** '' while it is below `share` of both ceilings. */
  function beyond(share: number, cpuPercent: number, memoryBytes: number): string {
    const { cpuPercentMax, memoryBytesMax } = ceilings;
    if (cpuPercentMax > 0 && cpuPercent > share * cpuPercentMax)
      return `the agent took ${cpuPercent.toFixed(1)} % of a core, guest.cpuPercentMax is ${cpuPercentMax}`;
    if (memoryBytesMax > 0 && memoryBytes > share * memoryBytesMax)
      return `the agent took ${memoryBytes} bytes of memory, guest.memoryBytesMax is ${memoryBytesMax}`;
    return '';
  }

  return {
    givenUp,
    configure(next) {
      ceilings = next;
    },
    check(nowMs) {
      if (last && nowMs - last.atMs < ceilings.checkMs) return;
      const { cpuUs, memoryBytes } = usage();
      const cpuPercent = last ? (cpuUs - last.cpuUs) / ((nowMs - last.atMs) * 10) : 0;
      const isFirst = last === undefined;
      last = { atMs: nowMs, cpuUs };
      // The start takes what it takes.
      if (isFirst) return;
      // With nothing left to give up, what memory was taken comes back by the last step alone: a new start.
      const bytes = givenUp.length < steps.length ? memoryBytes : 0;
      const reason = beyond(1, cpuPercent, bytes);
      if (reason !== '' || beyond(QUIET_SHARE, cpuPercent, bytes) !== '') quietSinceMs = nowMs;
      const quietMs = ceilings.quietMs * (steps[givenUp.length - 1]?.patience ?? 1);
      if (reason !== '') giveUp(reason);
      else if (nowMs - quietSinceMs >= quietMs && givenUp.length > 0) {
        takeBack();
        quietSinceMs = nowMs;
      }
    },
  };
}
