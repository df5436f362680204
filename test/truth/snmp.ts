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

/** Kind of timer in /proc/net/tcp; TIME_WAIT shows FIN_WAIT2 as its state where the peer has not closed yet. */
const TIME_WAIT = '03:';

interface Line {
  readonly localPort: number;
  readonly peerPort: number;
}

/** All but TIME_WAIT, which is the end; half-open handshakes too. */
function sockets(network: Pick<Network, 'proc'>): readonly Line[] {
  return ['tcp', 'tcp6']
    .flatMap((file) => network.proc(file).split('\n').slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , , , timer]) => timer !== undefined && !timer.startsWith(TIME_WAIT))
    .map(([, local = '', peer = '']) => ({ localPort: portOf(local), peerPort: portOf(peer) }));
}

const portOf = (endpoint: string): number => Number.parseInt(endpoint.split(':')[1] ?? '', 16);

export const socketsLeft = (network: Pick<Network, 'proc'>): number => sockets(network).length;

export const hasSocket = (network: Pick<Network, 'proc'>, localPort: number, peerPort: number): boolean =>
  sockets(network).some((line) => line.localPort === localPort && line.peerPort === peerPort);
