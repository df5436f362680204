/** How far the answer to a question reaches beyond the window that it is asked for: its SELECT says it. */
import { TIERS } from './tiers.ts';

export interface Bin {
  /** The view whose sums it reads. */
  readonly view: string;
  /** `an hour`. */
  readonly length: string;
  readonly seconds: number;
  /** The last bin is left out where the window ends within it; else it is read whole. The first is always read whole. */
  readonly isEndCut: boolean;
}

/** Of a question that reads two, the longer counts. */
const LONGEST_FIRST = TIERS.toSorted((a, b) => b.binSeconds - a.binSeconds);

/** Undefined where times of rows are compared with the begin of the window: it is read as it is asked for. */
export function binOf(sql: string): Bin | undefined {
  if (/>= \{since:/.test(sql)) return undefined;
  const tier = LONGEST_FIRST.find(({ view }) => new RegExp(`\\bFROM ${view}\\b`).test(sql));
  if (!tier) return undefined;
  const { view, binSeconds: seconds, binLength: length } = tier;
  return { view, length, seconds, isEndCut: /\bbin < toStartOf\w+\(\{until:/.test(sql) };
}
