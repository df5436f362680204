/** Events folded and left out, by rule, since the agent started. Rules that are no longer in force stay. */

export interface RuleCount {
  readonly rule: string;
  readonly folded: number;
  readonly filtered: number;
}

export interface RuleCounts {
  fold(rule: string): void;
  filter(rule: string): void;
  readonly list: readonly RuleCount[];
  readonly totals: Omit<RuleCount, 'rule'>;
}

export function createRuleCounts(): RuleCounts {
  const counts = new Map<string, { folded: number; filtered: number }>();

  function countOf(rule: string): { folded: number; filtered: number } {
    let count = counts.get(rule);
    if (!count) {
      count = { folded: 0, filtered: 0 };
      counts.set(rule, count);
    }
    return count;
  }

  return {
    fold(rule) {
      countOf(rule).folded += 1;
    },
    filter(rule) {
      countOf(rule).filtered += 1;
    },
    get list() {
      return [...counts].map(([rule, count]) => ({ rule, ...count }));
    },
    get totals() {
      const all = [...counts.values()];
      return {
        folded: all.reduce((sum, { folded }) => sum + folded, 0),
        filtered: all.reduce((sum, { filtered }) => sum + filtered, 0),
      };
    },
  };
}
