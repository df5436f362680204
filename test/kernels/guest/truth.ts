/** The truth suite, with the programs that the host built. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { SCENARIOS } from '../../truth/scenarios.ts';
import type { GuestLine } from '../guest-line.ts';
import { parseTruth } from '../truth-output.ts';

const SUITE = join(import.meta.dirname, '../../truth/main.ts');
const PROGRAMS = '/truth';
/** Too much for an emulated processor; what they show does not depend on the kernel. */
const TOO_LARGE = ['five_gigabytes', 'both_ways_at_once', 'thousand'];
/** Under emulation it takes a minute or two. */
const SUITE_MS_MAX = 360_000;

export async function runTruth(tell: (line: GuestLine) => void): Promise<void> {
  const names = SCENARIOS.map(({ name }) => name);
  const suite = spawn(process.execPath, [SUITE, ...names.filter((name) => !TOO_LARGE.includes(name))], {
    env: { ...process.env, TRUTH_BIN: PROGRAMS },
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: SUITE_MS_MAX,
  });
  let output = '';
  suite.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    process.stdout.write(text);
  });
  const [code, signal] = (await once(suite, 'close')) as [number | null, string | null];
  const scenarios = parseTruth(output);
  for (const scenario of scenarios) tell(scenario);
  for (const name of names.filter((one) => TOO_LARGE.includes(one)))
    tell({ kind: 'scenario', name, result: 'skipped', reason: 'too much for an emulated processor' });
  // It exits with 1 for what its lines tell.
  const isTold = code === 0 || scenarios.some(({ result }) => result === 'failed');
  const wrong = isTold && scenarios.length > 0 ? '' : `it ended with ${signal ?? code} without telling why`;
  tell({ kind: 'check', name: 'the truth suite runs to its end', wrong });
}
