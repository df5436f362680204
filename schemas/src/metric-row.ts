/** A metric as a row of its part's table; docs/metrics.md is written from these. */
export interface MetricRow {
  /** As /metrics shows it: a counter ends in `_total`, the word before (in others the last) is the unit. */
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** What is counted, `seconds` or `bytes`; '' for a state that is 1 or 0. */
  readonly unit: string;
  readonly help: string;
  readonly labels: readonly string[];
}
