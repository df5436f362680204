/** The kernel's own counters of a network namespace, which began at 0 with it. */
import type { Network } from './network.ts';

export type Snmp = Readonly<Record<string, number>>;

export function readSnmp(network: Pick<Network, 'proc'>): Snmp {
  const counters: Record<string, number> = {};
  for (const file of ['snmp', 'netstat']) {
    const lines = network.proc(file).split('\n');
    for (let index = 0; index + 1 < lines.length; index += 2) {
      const [group, ...names] = (lines[index] ?? '').split(' ');
      const values = (lines[index + 1] ?? '').split(' ').slice(1);
      if (!group?.startsWith('Tcp')) continue;
      for (const [place, name] of names.entries()) counters[name] = Number(values[place]);
    }
  }
  return counters;
}

const TIME_WAIT = '06';

/** Sockets of TCP that are not yet gone, half-open handshakes too; TIME_WAIT is the end. */
export function socketsLeft(network: Pick<Network, 'proc'>): number {
  let count = 0;
  for (const file of ['tcp', 'tcp6']) {
    for (const line of network.proc(file).split('\n').slice(1)) {
      const state = line.trim().split(/\s+/)[3];
      if (state !== undefined && state !== TIME_WAIT) count += 1;
    }
  }
  return count;
}
