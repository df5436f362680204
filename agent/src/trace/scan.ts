/** The start-up scan: sockets older than the agent get their owner and role. */
import { closeSync, readSync } from 'node:fs';
import { errnoName, type Handle, type Libbpf } from './libbpf.ts';
import type { Capability, Programs } from './programs.ts';

/** Runs every iterator to its end. What cannot run is reported, the rest goes on. */
export function runScans(libbpf: Libbpf, programs: Programs): readonly Capability[] {
  const failed = new Map<string, string>();
  for (const name of programs.iterators) {
    const error = runIterator(libbpf, programs.object.program(name));
    if (error !== '') failed.set(name, error);
  }
  return programs.capabilities.map((capability) => {
    const error = failed.get(capability.program);
    return error === undefined ? capability : { ...capability, attached: false, error };
  });
}

/** '' or why it did not run. The iterator writes nothing: its work is done while it is read. */
function runIterator(libbpf: Libbpf, program: Handle): string {
  const link = libbpf.attachIterator(program);
  if (typeof link === 'number') return errnoName(link);
  const fd = libbpf.iterate(link);
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
