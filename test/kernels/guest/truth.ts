/** The truth suite, with the programs that the host built. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { SCENARIOS } from '../../truth/scenarios.ts';
import type { GuestLine, Scenario } from '../guest-line.ts';
import { secondTryOf, withSecondTry } from '../second-try.ts';
import { parseTruth, suiteWrong } from '../truth-output.ts';

const SUITE = join(import.meta.dirname, '../../truth/main.ts');
const PROGRAMS = '/truth';
const TOO_MUCH = 'too much for an emulated processor';
/** What they show does not depend on the kernel. */
const TOO_LARGE = ['five_gigabytes', 'both_ways_at_once', 'thousand'];
/** Under emulation it takes a minute or two, on a busy machine more. */
const SUITE_MS_MAX = 600_000;
/** From being asked to end until it is killed. */
const STUCK_MS_MAX = 30_000;
/** Those to play, whatever their size. */
const CHOSEN = (process.env['TRUTH_SCENARIOS'] ?? '').split(',').filter(Boolean);

export async function runTruth(tell: (line: GuestLine) => void): Promise<void> {
  const wanted = CHOSEN.length > 0 ? CHOSEN : SCENARIOS.map(({ name }) => name);
  const tooLarge = CHOSEN.length > 0 ? [] : TOO_LARGE;
  const names = wanted.filter((name) => !tooLarge.includes(name));
  const first = await runSuite(names);
  const again = secondTryOf(first.scenarios);
  const second = again.length > 0 ? await runSuite(again) : undefined;
  for (const scenario of withSecondTry(first.scenarios, second?.scenarios ?? [])) tell(scenario);
  for (const name of tooLarge)
    tell({ kind: 'scenario', name, result: 'skipped', reason: TOO_MUCH, kinds: [], first: '' });
  const wrong = [first, second].flatMap((run) => run?.wrong || []).join('; ');
  tell({ kind: 'check', name: 'the truth suite runs to its end', wrong });
}

async function runSuite(
  names: readonly string[],
): Promise<{ readonly scenarios: readonly Scenario[]; readonly wrong: string }> {
  const suite = spawn(process.execPath, [SUITE, ...names], {
    env: { ...process.env, TRUTH_BIN: PROGRAMS, TRUTH_FOLLOW: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    suite[stream].setEncoding('utf8').on('data', (text: string) => {
      said[stream] += text;
      // The console of the guest, which is kept when the kernel fails.
      process[stream].write(text);
    });
  }
  // It answers SIGTERM with exit code 1, as it does a failure: whose end it was is known here only.
  let isLate = false;
  const late = setTimeout(() => {
    isLate = true;
    suite.kill('SIGTERM');
  }, SUITE_MS_MAX);
  const stuck = setTimeout(() => suite.kill('SIGKILL'), SUITE_MS_MAX + STUCK_MS_MAX);
  const [code, signal] = (await once(suite, 'close')) as [number | null, string | null];
  clearTimeout(late);
  clearTimeout(stuck);
  const scenarios = parseTruth(said.stdout);
  const wrong = suiteWrong({ ...said, code, signal, msMax: isLate ? SUITE_MS_MAX : 0, scenarios, names });
  return { scenarios, wrong };
}
