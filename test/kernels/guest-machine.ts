/**
 * A kernel and an initramfs under QEMU, without network.
 *
 * Software emulation, so that it is the same on every machine: KVM inside a virtual machine often breaks.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { endOf, spawnBound } from '@tcptrail/local-kafka/bound-child.ts';
import type { GuestLine } from './guest-line.ts';

/** A guest that is not done by then hangs: longer than its suite may take, twice. */
const GUEST_MS_MAX = 1_800_000;

export interface GuestRun {
  readonly lines: readonly GuestLine[];
  /** Everything that the kernel and the programs printed. */
  readonly console: string;
  readonly seconds: number;
}

/** Resolves when the guest is off; `folder` takes what it prints. Dies with this process. */
export async function runGuest(options: {
  readonly image: string;
  readonly initramfs: string;
  readonly folder: string;
}): Promise<GuestRun> {
  const { image, initramfs, folder } = options;
  mkdirSync(folder, { recursive: true });
  const files = { console: join(folder, 'console.log'), lines: join(folder, 'lines.jsonl') };
  const started = performance.now();
  const machine = spawnBound(
    'qemu-system-x86_64',
    [
      ...['-machine', 'q35', '-accel', 'tcg,thread=multi', '-cpu', 'max'],
      ...['-smp', '2', '-m', '3000', '-nodefaults', '-display', 'none', '-no-reboot'],
      ...['-serial', `file:${files.console}`, '-serial', `file:${files.lines}`],
      ...['-kernel', image, '-initrd', initramfs],
      ...['-append', 'console=ttyS0 quiet panic=-1 mitigations=off'],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  machine.stderr?.on('data', (text: Buffer) => {
    said += text.toString();
  });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    machine.kill('SIGKILL');
  }, GUEST_MS_MAX);
  const { code, signal } = await endOf(machine);
  clearTimeout(timer);
  const seconds = (performance.now() - started) / 1000;
  const console = `${textOf(files.console)}\n${said}`;
  // What a guest that hung has told is told; that it did not end is missing.
  if (code !== 0 && !isLate) throw new Error(`QEMU ended with ${signal ?? code}:\n${console}`);
  return { lines: parseLines(textOf(files.lines)), console, seconds };
}

const textOf = (file: string): string => readFileSync(file, 'utf8');

/** The last may be torn where the guest was. */
function parseLines(text: string): GuestLine[] {
  return text.split('\n').flatMap((line): GuestLine[] => {
    try {
      return line.trim() === '' ? [] : [JSON.parse(line) as GuestLine];
    } catch {
      return [];
    }
  });
}
