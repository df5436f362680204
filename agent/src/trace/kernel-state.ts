/**
 * One loading of the programs: what it made in the kernel, as file descriptors of this process. It is there as long
 * as somebody holds it, a process or a pin.
 */
import { closeSync } from 'node:fs';

export interface KernelState {
  /** When it was made, µs since the epoch: its name. */
  readonly kernelEpoch: number;
  /** By name, without what libbpf puts before it. */
  readonly maps: ReadonlyMap<string, number>;
  /** Those that run or ran: `skipped runs` are asked of them. */
  readonly programs: ReadonlyMap<string, number>;
  /** By program: what it is attached by. */
  readonly links: ReadonlyMap<string, number>;
}

/** `.data.tunables` → `tunables`: bpffs keeps names with dots for itself. */
export const mapName = (name: string): string => name.split('.').at(-1) ?? name;

/** This process lets go of it. What nobody else holds is gone then. */
export function releaseState({ links, programs, maps }: KernelState): void {
  for (const fds of [links, programs, maps]) for (const fd of fds.values()) closeSync(fd);
}
