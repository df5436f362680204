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
const CPUS = 2;
const MEMORY_MB = 3_000;

/**
 * Guests at a time: each has CPUs of its own, or what it waits for misses its deadlines; they take half the memory at
 * most. `cpus`, `bytes`: of the machine.
 */
export function guestsAtOnce(cpus: number, bytes: number): number {
  return Math.max(1, Math.floor(Math.min(cpus / CPUS, bytes / 2 / (MEMORY_MB * 2 ** 20))));
}

export interface GuestRun {
  readonly lines: readonly GuestLine[];
  /** Everything that the kernel and the programs printed. */
  readonly console: string;
  readonly seconds: number;
}

/** Resolves when the guest is off; `folder` takes what it prints, `variables` its init. Dies with this process. */
export async function runGuest(options: {
  readonly image: string;
  readonly initramfs: string;
  readonly folder: string;
  readonly variables: Readonly<Record<string, string>>;
}): Promise<GuestRun> {
  const { image, initramfs, folder, variables } = options;
  mkdirSync(folder, { recursive: true });
  const files = { console: join(folder, 'console.log'), lines: join(folder, 'lines.jsonl') };
  // What the kernel does not know it hands to init, as variables of its environment.
  const environment = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  const started = performance.now();
  const machine = spawnBound(
    'qemu-system-x86_64',
    [
      ...['-machine', 'q35', '-accel', 'tcg,thread=single', '-cpu', 'max'],
      ...['-smp', `${CPUS}`, '-m', `${MEMORY_MB}`, '-nodefaults', '-display', 'none', '-no-reboot'],
      ...['-serial', `file:${files.console}`, '-serial', `file:${files.lines}`],
      ...['-kernel', image, '-initrd', initramfs],
      ...['-append', ['console=ttyS0 quiet panic=-1 mitigations=off', ...environment].join(' ')],
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
