/** Each program of the agent, loaded and attached in the kernel for a moment, beside a running agent. */
import type { Capability } from '@tcptrail/agent/trace/programs.ts';
import { type Need, surroundings } from '@tcptrail/agent/trace/surroundings.ts';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { removePins, removePinsOfGoneDoctors } from '../supervise/pins.ts';
import { type Check, fail, ok, unsupported, warn } from './check.ts';

const RING_BYTES = 64 * 1024;

export async function programChecks(host: {
  readonly unsupported: boolean;
  readonly disabled: boolean;
}): Promise<readonly Check[]> {
  if (host.disabled) return [ok('programs', 'not tried: this host is not to be recorded')];
  if (host.unsupported) return [warn('programs', 'not tried', 'mend what failed above first')];
  const loaded = await import('@tcptrail/agent/trace/trace.ts').catch((error: unknown) => error);
  if (!isTrace(loaded)) {
    const found = `the way into the kernel does not load: ${firstLine(loaded)}`;
    return [fail('programs', found, "run 'make deps' again")];
  }
  // An instance of its own: maps and pins of a running agent are not touched.
  removePinsOfGoneDoctors();
  const instance = `doctor-${process.pid}`;
  const trace = loaded.createTrace(
    { instance, ring: { lifecycleBytes: RING_BYTES, chatterBytes: RING_BYTES } },
    { nowUs: () => Date.now() * 1_000 },
  );
  try {
    trace.start();
    const checks = attachmentChecks(trace.capabilities, surroundings());
    const kept = trace.notPinned === '' ? [] : [warn('pins', trace.notPinned, 'mount bpffs writable')];
    trace.close({ forget: 'instance' });
    return [...checks, ...kept];
  } catch (error) {
    if (!(error instanceof AppError)) return [fail('programs', firstLine(error), 'report this as a defect')];
    const [found = '', ...remedy] = error.message.split('; ');
    return [(error.exitCode === 3 ? unsupported : fail)('programs', found, remedy.join('; '))];
  } finally {
    removePins(instance);
  }
}

/** Those that do not run are one line for each reason; what an unmet need costs was told with it. */
export function attachmentChecks(
  programs: readonly Capability[],
  needs: readonly Pick<Need, 'name' | 'problem'>[],
): readonly Check[] {
  const attached = programs
    .filter((program) => program.attached)
    .map(({ program }) => ok(program, 'attached'));
  const refused = Map.groupBy(
    programs.filter((program) => !program.attached),
    ({ error }) => error,
  );
  const missing = [...refused].map(([error, group]) => {
    const need = needs.find(({ problem }) => problem === error);
    const costs = [...new Set(group.map(({ cost }) => cost).filter((cost) => cost !== ''))].join('; ');
    const without =
      costs === '' ? 'nothing is lost' : `without ${group.length > 1 ? 'them' : 'it'}: ${costs}`;
    const names = group.map(({ program }) => program).join(', ');
    return warn(names, `not attached: ${error}`, need ? `see ${need.name} above` : without);
  });
  return [...attached, ...missing];
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}

type Trace = typeof import('@tcptrail/agent/trace/trace.ts');
const isTrace = (loaded: unknown): loaded is Trace =>
  typeof loaded === 'object' && loaded !== null && 'createTrace' in loaded;
