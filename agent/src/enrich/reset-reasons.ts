/** The running kernel's names for why it sent a reset: the numbers differ from kernel to kernel, the names hardly. */
import { readFileSync } from 'node:fs';
import { btfEnum } from './btf-enum.ts';

const BTF_PATH = '/sys/kernel/btf/vmlinux';
const ENUM = 'sk_rst_reason';
const PREFIX = 'SK_RST_REASON_';
/** The bound of the enum, no reason. */
const BOUND = 'max';

/**
 * Name of a reason in lower case without its prefix, as `no_socket`; '' for a number that is none, and for all on
 * kernels without the enum (before 6.10). Reads about 8 MB once; only the names stay.
 */
export function readResetReasons(btfPath = BTF_PATH): (code: number) => string {
  const names = new Map<number, string>();
  for (const [code, enumerator] of btfEnum(contentOf(btfPath), ENUM) ?? []) {
    const name = enumerator.startsWith(PREFIX) ? enumerator.slice(PREFIX.length).toLowerCase() : '';
    if (code >= 0 && name !== BOUND) names.set(code, name);
  }
  return (code) => names.get(code) ?? '';
}

/** Empty when it cannot be read: a reset without a reason is better than no agent. */
function contentOf(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch {
    return Buffer.alloc(0);
  }
}
