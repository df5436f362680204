/** What a guest told, and what of it is wrong. Pure. */
import type { Capability } from '@tcptrail/agent/trace/programs.ts';
import type { Check, GuestLine, Scenario } from './guest-line.ts';
import type { WantedKernel } from './kernels.ts';

export interface Verdict {
  /** One sentence each; empty: the kernel passes. */
  readonly wrong: readonly string[];
  /** What the agent said where it refused. */
  readonly refusal: string;
  readonly capabilities: readonly Capability[];
  readonly checks: readonly Check[];
  readonly scenarios: readonly Scenario[];
}

/** Exit code of a machine that tcptrail does not support. */
const NOT_SUPPORTED = 3;
/** One sentence on one line, that says which kernel lacks what and what to do. */
const CLEAR_REFUSAL = /^tcptrail agent: kernel \S+ (has no|does not offer) [^\n]+; tcptrail needs [^\n]+\n$/;

export function judge(lines: readonly GuestLine[], wanted: WantedKernel): Verdict {
  const of = <Kind extends GuestLine['kind']>(kind: Kind) =>
    lines.filter((line): line is Extract<GuestLine, { kind: Kind }> => line.kind === kind);
  const [runs] = of('runs');
  const [refuses] = of('refuses');
  const checks = of('check');
  const scenarios = of('scenario');
  const wrong: string[] = [];
  if (of('end').length === 0) wrong.push('the guest ended before its tests did');
  if (wanted.agent === 'runs') {
    if (refuses) wrong.push(`the agent ended with ${refuses.exitCode}: ${refuses.said.trim()}`);
    if (!refuses && !runs) wrong.push('the agent did not answer');
    if (runs && checks.length === 0) wrong.push('nothing was checked');
  } else if (runs) {
    wrong.push('the agent runs, it should refuse');
  } else if (refuses?.exitCode !== NOT_SUPPORTED) {
    wrong.push(`the agent ended with ${refuses?.exitCode}, not ${NOT_SUPPORTED}: ${refuses?.said.trim()}`);
  } else if (!CLEAR_REFUSAL.test(refuses.said)) {
    wrong.push(`the refusal is not one clear sentence: ${refuses.said.trim()}`);
  }
  for (const check of checks) if (check.wrong !== '') wrong.push(`${check.name}: ${check.wrong}`);
  for (const { name, result, reason } of scenarios)
    if (result === 'failed') wrong.push(`scenario ${name}: ${reason}`);
  return {
    wrong,
    refusal: refuses?.said.trim() ?? '',
    capabilities: runs?.capabilities ?? [],
    checks,
    scenarios,
  };
}

/** What a shell, or who started a program, says of one that crashed. */
const CRASH = /SIGSEGV|SIGTRAP|Segmentation fault|Trace\/breakpoint trap/;

/** A program crashed before any scenario had a result. */
export function hasCrashed(console: string, { scenarios, wrong }: Verdict): boolean {
  return scenarios.length === 0 && CRASH.test([console, ...wrong].join('\n'));
}
