/**
 * `make test-kernels`: the agent on stock Debian kernels, written to docs/kernels.md. Exits 1 when a kernel fails.
 *
 *   node test/kernels/main.ts [SERIES...]      only these; the page stays as it is
 *
 * NAME="a b" plays only these scenarios of test/truth, and the page stays as it is; GUESTS=2 boots two at a time,
 * whatever the machine has.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, homedir, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { atOnce } from '../harness/at-once.ts';
import { buildPrograms } from '../truth/build.ts';
import { SCENARIOS } from '../truth/scenarios.ts';
import { createApt } from './apt.ts';
import { newestOf } from './choose-package.ts';
import { type GuestRun, guestsAtOnce, runGuest } from './guest-machine.ts';
import { buildBase, buildModules } from './initramfs.ts';
import { hasCrashed, judge, type Verdict } from './judge.ts';
import { unpackKernel } from './kernel-files.ts';
import { KERNELS, type WantedKernel } from './kernels.ts';
import { kernelsPage, type Row } from './report.ts';

const PAGE = join(import.meta.dirname, '../../docs/kernels.md');
const CONSOLE_LINES = 40;
/** Of test/truth; all when there is none. */
const scenarios = (process.env['NAME'] ?? '').split(/[\s,]+/).filter(Boolean);
const guests = Number(process.env['GUESTS']) || guestsAtOnce(availableParallelism(), totalmem());

const say = (text: string): void => void process.stdout.write(`${text}\n`);

const folder = mkdtempSync(join(tmpdir(), 'tcptrail-kernels-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

const chosen = process.argv.slice(2);
const wanted = KERNELS.filter(({ series }) => chosen.length === 0 || chosen.includes(series));
if (wanted.length === 0 || wanted.length < chosen.length) {
  process.stderr.write(
    `test-kernels: give of ${KERNELS.map(({ series }) => series).join(' ')}, or nothing\n`,
  );
  process.exit(2);
}
const unknown = scenarios.filter((name) => !SCENARIOS.some((scenario) => scenario.name === name));
if (unknown.length > 0) {
  process.stderr.write(`test-kernels: no such scenario: ${unknown.join(', ')}\n`);
  process.exit(2);
}

const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'tcptrail/kernels');
mkdirSync(cache, { recursive: true });
const apt = createApt(cache);
const packages = apt.packages();
const base = join(folder, 'base.cpio');
const truth = join(folder, 'truth');
mkdirSync(truth);
// What the guests take along: the run is long, and sources may change meanwhile.
const tree = bpfTree();
await buildPrograms(truth, undefined);
buildBase({ folder: join(folder, 'base'), archive: base }, { truth });
rmSync(join(folder, 'base'), { recursive: true });

const rows = await atOnce(guests, wanted, matrixRow);
const failed = rows.filter(({ verdict }) => verdict.wrong.length > 0);
if (chosen.length === 0 && scenarios.length === 0) {
  writeFileSync(PAGE, kernelsPage(rows, { date: new Date().toISOString().slice(0, 10), tree }));
  say('docs/kernels.md is written');
}
say(`${rows.length - failed.length} of ${rows.length} kernels pass`);
process.exit(failed.length === 0 ? 0 : 1);

/** git's name of bpf/ as committed, and whether it has changed since. */
function bpfTree(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: join(import.meta.dirname, '../..'), encoding: 'utf8' }).trim();
  const isChanged = git('status', '--porcelain', 'bpf') !== '';
  return `${git('rev-parse', '--short=12', 'HEAD:bpf')}${isChanged ? ' and changes' : ''}`;
}

async function matrixRow(wanted: WantedKernel): Promise<Row> {
  const kernel = newestOf(packages, wanted.series);
  if (!kernel) throw new Error(`no suite of test/kernels/apt.ts has a kernel ${wanted.series} any more`);
  const home = join(folder, kernel.release);
  const files = unpackKernel(apt.download(kernel), kernel.release, join(home, 'package'));
  const modules = join(home, 'modules.cpio');
  buildModules(files.modules, { folder: join(home, 'root'), archive: modules });
  const initramfs = join(home, 'initramfs');
  // The kernel unpacks archives that stand one behind another.
  execFileSync('sh', ['-c', 'cat "$1" "$2" >"$0"', initramfs, base, modules]);
  say(`▶ ${kernel.release} boots`);
  const boot = async (name: string): Promise<{ run: GuestRun; verdict: Verdict }> => {
    const run = await runGuest({
      image: files.image,
      initramfs,
      folder: join(home, name),
      variables: { TRUTH_SCENARIOS: scenarios.join(',') },
    });
    return { run, verdict: judge(run.lines, wanted) };
  };
  let { run, verdict } = await boot('first');
  const crashed = hasCrashed(run.console, verdict);
  if (crashed) {
    say(`! ${kernel.release} boots again, as Node.js crashed:\n${lastLines(run.console)}`);
    ({ run, verdict } = await boot('second'));
  }
  rmSync(home, { recursive: true });

  say(`${verdict.wrong.length === 0 ? '✔' : '✘'} ${kernel.release} (${run.seconds.toFixed(0)} s)`);
  for (const what of verdict.wrong) say(`  ${what.replaceAll('\n', '\n  ')}`);
  if (verdict.refusal !== '') say(`  the agent said: ${verdict.refusal}`);
  for (const { program, attached, error } of verdict.capabilities)
    if (!attached) say(`  ${program} is missing: ${error}`);
  if (verdict.wrong.length > 0) {
    const log = join(cache, `${kernel.release}.console.txt`);
    writeFileSync(log, run.console);
    say(lastLines(run.console));
    say(`  all that the guest printed: ${log}`);
  }
  return { kernel, verdict, crashed };
}

function lastLines(console: string): string {
  return console.split('\n').slice(-CONSOLE_LINES).join('\n');
}
