/** The start-up scan: sockets older than the agent get their owner and role. */
import { closeSync, readSync } from 'node:fs';
import { errnoName } from './errno.ts';
import type { KernelObject } from './kernel-object.ts';
import type { Handle, Libbpf } from './libbpf.ts';

/** Runs every scan to its end. Returns those that could not. */
export function runScans(
  libbpf: Libbpf,
  { scans, object }: { readonly scans: readonly string[]; readonly object: Pick<KernelObject, 'program'> },
): readonly { readonly program: string; readonly error: string }[] {
  return scans
    .map((program) => ({ program, error: runIterator(libbpf, object.program(program)) }))
    .filter(({ error }) => error !== '');
}

/** '' or why it did not run. The iterator writes nothing: its work is done while it is read. */
function runIterator(libbpf: Libbpf, program: Handle): string {
  const link = libbpf.attachIterator(program);
  if (link < 0) return errnoName(link);
  const fd = libbpf.iterate(libbpf.linkFd(link));
  try {
    if (fd < 0) return errnoName(fd);
    const output = Buffer.alloc(4096);
    while (readSync(fd, output) > 0);
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    if (fd >= 0) closeSync(fd);
    libbpf.detach(link);
  }
}
