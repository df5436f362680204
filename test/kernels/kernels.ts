/** The rows of the matrix: which kernels, and what the agent has to do on each. */
export interface WantedKernel {
  /** `6.1`, as Debian names a series; `newest`: the highest that the suites of apt.ts have. */
  readonly series: string;
  readonly agent: 'runs' | 'refuses';
}

export const KERNELS: readonly WantedKernel[] = [
  { series: '5.10', agent: 'refuses' },
  { series: '6.1', agent: 'runs' },
  { series: '6.12', agent: 'runs' },
  { series: 'newest', agent: 'runs' },
];
