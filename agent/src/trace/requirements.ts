/** What the core needs of the machine, said in one clear sentence where it is not there. */
import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { traceError } from './errors.ts';
import { type Refusal, refusalReason } from './kernel-object.ts';
import type { Libbpf } from './libbpf.ts';

export const BTF_PATH = '/sys/kernel/btf/vmlinux';

const CAP_SYS_ADMIN = 21n;
/** Wanted of a process without CAP_SYS_ADMIN. */
const CAPABILITIES = { CAP_BPF: 39n, CAP_PERFMON: 38n } as const;
const MAP_TYPES = { 'socket-local storage': 24, 'the BPF ring buffer': 27 } as const;

/** Names of the capabilities that are missing, out of /proc/self/status. */
export function missingCapabilities(status: string): string[] {
  const held = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  const has = (bit: bigint): boolean => ((held >> bit) & 1n) === 1n;
  if (has(CAP_SYS_ADMIN)) return [];
  return Object.entries(CAPABILITIES)
    .filter(([, bit]) => !has(bit))
    .map(([name]) => name);
}

/** Throws TRACE_PRIVILEGE, TRACE_NO_BTF. */
export function checkRequirements(btfPath = BTF_PATH): void {
  const missing = missingCapabilities(readFileSync('/proc/self/status', 'latin1'));
  if (missing.length > 0) throw traceError('TRACE_PRIVILEGE', missing.join(' and '));
  if (!existsSync(btfPath)) throw traceError('TRACE_NO_BTF', btfPath);
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
