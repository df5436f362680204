/** What the core needs of the machine, said in one clear sentence where it is not there. */
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { release } from 'node:os';
import type { AppError } from '@tcptrail/schemas/app-error.ts';
import { traceError } from './errors.ts';
import { type Refusal, refusalReason, wasInterrupted } from './kernel-object.ts';
import type { Libbpf } from './libbpf.ts';

export const BTF_PATH = '/sys/kernel/btf/vmlinux';

export const CAP_SYS_PTRACE = 19n;
export const CAP_SYS_ADMIN = 21n;
/** Wanted of a process without CAP_SYS_ADMIN. */
const CAPABILITIES = { CAP_BPF: 39n, CAP_PERFMON: 38n } as const;
const MAP_TYPES = { 'socket-local storage': 24, 'the BPF ring buffer': 27 } as const;

/** The first user namespace, the same on every kernel: root of another has no rights over the kernel. */
const FIRST_USER_NAMESPACE = 'user:[4026531837]';

const FILES = {
  status: '/proc/self/status',
  userNamespace: '/proc/self/ns/user',
  lockdown: '/sys/kernel/security/lockdown',
} as const;

/** Whether the capability of this number is in effect, out of /proc/self/status. */
export function hasCapability(status: string, bit: bigint): boolean {
  const held = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  return ((held >> bit) & 1n) === 1n;
}

/** Names of the capabilities that are missing, out of /proc/self/status. */
export function missingCapabilities(status: string): string[] {
  if (hasCapability(status, CAP_SYS_ADMIN)) return [];
  return Object.entries(CAPABILITIES)
    .filter(([, bit]) => !hasCapability(status, bit))
    .map(([name]) => name);
}

/** Mode of the kernel's lockdown out of its file: the one in brackets; '' when there is none. */
export function lockdownMode(text: string): string {
  return /\[(\w+)\]/.exec(text)?.[1] ?? '';
}

/** What cannot be read is taken to be as it must. Throws TRACE_PRIVILEGE, TRACE_USER_NAMESPACE, TRACE_LOCKDOWN, TRACE_NO_BTF. */
export function checkRequirements(
  btfPath = BTF_PATH,
  files: Readonly<Record<keyof typeof FILES, string>> = FILES,
): void {
  const missing = missingCapabilities(readFileSync(files.status, 'latin1'));
  if (missing.length > 0) throw traceError('TRACE_PRIVILEGE', missing.join(' and '));
  const userNamespace = link(files.userNamespace);
  if (userNamespace !== '' && userNamespace !== FIRST_USER_NAMESPACE)
    throw traceError('TRACE_USER_NAMESPACE', userNamespace);
  const lockdown = existsSync(files.lockdown) ? lockdownMode(readFileSync(files.lockdown, 'latin1')) : '';
  if (lockdown === 'confidentiality') throw traceError('TRACE_LOCKDOWN', lockdown);
  if (!existsSync(btfPath)) throw traceError('TRACE_NO_BTF', btfPath);
}

/** '' when it is not there: a kernel without such namespaces has everything in one. */
function link(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
}

/** The error of a core program that was not loaded. */
export function coreRefused(libbpf: Pick<Libbpf, 'hasMapType'>, program: string, refusal: Refusal): AppError {
  if (wasInterrupted(refusal)) return traceError('TRACE_INTERRUPTED', program);
  return traceError('TRACE_KERNEL', missingFeature(libbpf, program, refusal));
}

/** What stands between a core program and this kernel. */
export function missingFeature(
  libbpf: Pick<Libbpf, 'hasMapType'>,
  program: string,
  refusal: Refusal,
): string {
  const kernel = `kernel ${release()}`;
  for (const [name, type] of Object.entries(MAP_TYPES)) {
    if (!libbpf.hasMapType(type)) return `${kernel} has no ${name.replace(/^the /, '')}`;
  }
  const helper = /unknown func ([a-z_0-9]+)#/.exec(refusal.log)?.[1];
  if (helper) return `${kernel} does not offer ${helper} to tracing programs`;
  if (/BPF_(STX|ATOMIC) uses reserved fields|unknown opcode/.test(refusal.log)) {
    return `${kernel} has no BPF atomic instructions`;
  }
  return `${kernel} refuses the core program ${program}: ${refusalReason(refusal)}`;
}
