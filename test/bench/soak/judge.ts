/** Whether what was sampled again and again stays as it is. Pure. */

export interface Flatness {
  /** Means of the middle and the last third of the samples; the first is for warming up. */
  readonly middle: number;
  readonly last: number;
  readonly ratio: number;
}

export function flatness(samples: readonly number[]): Flatness {
  const third = Math.floor(samples.length / 3);
  const middle = mean(samples.slice(third, 2 * third));
  const last = mean(samples.slice(2 * third));
  return {
    middle: rounded(middle),
    last: rounded(last),
    ratio: last === middle ? 1 : rounded(last / middle),
  };
}

/** Memory may be so much larger in the last third than in the middle one. */
const GROWTH_MAX = 1.05;
/**
 * A queue goes up and down: it grows when its last third is so many times the middle one, and more than its floor. One
 * that grows evenly from nothing has 5/3.
 */
const QUEUE_GROWTH_MAX = 1.25;

export const isFlat = ({ ratio }: Flatness): boolean => ratio <= GROWTH_MAX;

/** `floor`: what a queue may hold by chance. What was not measured counts as growing. */
export function isGrowing({ middle, last }: Flatness, floor: number): boolean {
  return !(last <= floor || last <= QUEUE_GROWTH_MAX * middle);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

const rounded = (value: number): number => Math.round(value * 1_000) / 1_000;
