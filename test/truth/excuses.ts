/** Which sums may lack something, as the agent tells of runs of its programs that the kernel skipped. Pure. */
import type { Lack } from './sums.ts';

/** A sum that does not come out, and may do so. */
export interface Short {
  readonly line: string;
  readonly namespace: number;
  readonly lack: Lack;
}

export interface Excuses {
  /** Lines that skipped runs do not explain. What they explain is used up: a run is skipped once. */
  unexcused(short: readonly Short[]): readonly string[];
}

/** `skipped`: runs by program, of one agent. */
export function createExcuses(skipped: ReadonlyMap<string, number>): Excuses {
  const runsOf = (...programs: readonly string[]): number =>
    programs.reduce((sum, program) => sum + (skipped.get(program) ?? 0), 0);
  // Of those for one purpose one runs.
  const left = {
    retransmit: runsOf('retransmit_err', 'retransmit'),
    synAck: runsOf('retransmit_synack'),
    reset: runsOf('send_reset_reason', 'send_reset'),
  };

  /** Retransmissions of one namespace without a row, where the runs suffice; 0 where they do not. */
  function retransmitsExcused(countOf: (of: Lack['of']) => number, each: number): number {
    const all = countOf('sent') + countOf('failed');
    const synAcks = Math.min(countOf('syn'), countOf('sent'), left.synAck);
    const runs = Math.ceil((all - synAcks) / each);
    if (runs > left.retransmit) return 0;
    left.retransmit -= runs;
    left.synAck -= synAcks;
    return all;
  }

  function resetsExcused(count: number): number {
    if (count > left.reset) return 0;
    left.reset -= count;
    return count;
  }

  return {
    unexcused(short) {
      const found = [...new Set(short.map(({ namespace }) => namespace))].flatMap((namespace) => {
        const here = short.filter((one) => one.namespace === namespace);
        const countOf = (of: Lack['of']): number =>
          here.filter(({ lack }) => lack.of === of).reduce((sum, { lack }) => sum + lack.count, 0);
        const each = Math.max(1, ...here.map(({ lack }) => lack.each));
        const retransmits = retransmitsExcused(countOf, each);
        const resets = resetsExcused(countOf('reset'));
        return here.filter(({ lack }) => lack.count > (lack.of === 'reset' ? resets : retransmits));
      });
      return found.map(({ line }) => line);
    },
  };
}
