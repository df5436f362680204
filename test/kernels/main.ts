/**
 * `make test-kernels`: the agent on stock Debian kernels, written to docs/kernels.md. Exits 1 when a kernel fails.
 *
 *   node test/kernels/main.ts [SERIES...]      only these; the page stays as it is
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildPrograms } from '../truth/build.ts';
import { createApt } from './apt.ts';
import { newestOf } from './choose-package.ts';
import { runGuest } from './guest-machine.ts';
import { buildBase, buildModules } from './initramfs.ts';
import { judge } from './judge.ts';
import { unpackKernel } from './kernel-files.ts';
import { KERNELS, type WantedKernel } from './kernels.ts';
import { kernelsPage, type Row } from './report.ts';

const PAGE = join(import.meta.dirname, '../../docs/kernels.md');
const CONSOLE_LINES = 40;

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

const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'tcptrail/kernels');
mkdirSync(cache, { recursive: true });
const apt = createApt(cache);
const packages = apt.packages();
const base = join(folder, 'base.cpio');
const truth = join(folder, 'truth');
mkdirSync(truth);
await buildPrograms(truth, undefined);
buildBase({ folder: join(folder, 'base'), archive: base }, { truth });
rmSync(join(folder, 'base'), { recursive: true });

const rows: Row[] = [];
for (const kernel of wanted) rows.push(await matrixRow(kernel));
const failed = rows.filter(({ verdict }) => verdict.wrong.length > 0);
if (chosen.length === 0) {
  writeFileSync(PAGE, kernelsPage(rows, new Date().toISOString().slice(0, 10)));
  say('docs/kernels.md is written');
}
say(`${rows.length - failed.length} of ${rows.length} kernels pass`);
process.exit(failed.length === 0 ? 0 : 1);

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
  const run = await runGuest({ image: files.image, initramfs, folder: join(home, 'output') });
  const verdict = judge(run.lines, wanted);
  rmSync(home, { recursive: true });

  say(`${verdict.wrong.length === 0 ? '✔' : '✘'} ${kernel.release} (${run.seconds.toFixed(0)} s)`);
  for (const what of verdict.wrong) say(`  ${what.replaceAll('\n', '\n  ')}`);
  if (verdict.refusal !== '') say(`  the agent said: ${verdict.refusal}`);
  for (const { program, attached, error } of verdict.capabilities)
    if (!attached) say(`  ${program} is missing: ${error}`);
  if (verdict.wrong.length > 0) {
    const log = join(cache, `${kernel.release}.console.txt`);
    writeFileSync(log, run.console);
    say(run.console.split('\n').slice(-CONSOLE_LINES).join('\n'));
    say(`  all that the guest printed: ${log}`);
  }
  return { kernel, verdict };
}
