/** Random draws that can be told how much information they give: the entropy of what is made of them. */

export interface Draws {
  /** Whole number in [0, limit). */
  below(limit: number): number;
  /** Whether something happens that happens to `share` of all. */
  happens(share: number): boolean;
  /** Whole number, at least 1, log-normal around `median`; `spread` is the deviation of its logarithm. */
  logNormal(median: number, spread: number): number;
  /** Time to the next of what happens every `mean` on average, a whole number. */
  wait(mean: number): number;
  /** Rank in [0, size): rank k about half as often as rank k/2 (Zipf, exponent 1). */
  zipf(size: number): number;
  /** Index into falling `shares`, which sum to 1. */
  oneOf(shares: readonly number[]): number;
  /** Bits drawn until now; counted alone where asked for, as it takes time. */
  readonly bits: number;
}

export function createDraws(seed: number, { counts = false } = {}): Draws {
  let state = seed >>> 0;
  let bits = 0;
  /** In [0, 1): mulberry32. */
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
  }
  /** What had the chance `p` came. */
  const told = (p: number): void => {
    bits -= Math.log2(Math.min(1, p));
  };
  return {
    below(limit) {
      if (counts) told(1 / limit);
      return Math.floor(next() * limit);
    },
    happens(share) {
      const does = next() < share;
      if (counts) told(does ? share : 1 - share);
      return does;
    },
    logNormal(median, spread) {
      const normal = Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
      const value = Math.max(1, Math.round(median * Math.exp(spread * normal)));
      if (counts) told(Math.exp((-normal * normal) / 2) / (spread * value * Math.sqrt(2 * Math.PI)));
      return value;
    },
    wait(mean) {
      const value = Math.floor(-Math.log(1 - next()) * mean);
      if (counts) told(Math.exp(-value / mean) / mean);
      return value;
    },
    zipf(size) {
      const rank = Math.floor((size + 1) ** next()) - 1;
      if (counts) told(Math.log((rank + 2) / (rank + 1)) / Math.log(size + 1));
      return rank;
    },
    oneOf(shares) {
      let left = next();
      let index = 0;
      while (index < shares.length - 1 && left >= (shares[index] as number))
        left -= shares[index++] as number;
      if (counts) told(shares[index] as number);
      return index;
    },
    get bits() {
      return bits;
    },
  };
}
