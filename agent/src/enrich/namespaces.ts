/**
 * Counters of a network namespace that no event carries, read through the /proc of a process that lives in it: the
 * kernel shows /proc/<pid>/net of that process's namespace.
 *
 * Known are the namespace of the agent and those that owners of late lived in, as long as one of them is alive.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import type { NamespaceCount, Owner } from '@tcptrail/schemas/batch.ts';
import { createLru } from './lru.ts';

/** TcpExt counters: SYN cookies, and what a listener with a full queue dropped. */
const COUNTERS: ReadonlySet<string> = new Set([
  'SyncookiesSent',
  'SyncookiesRecv',
  'SyncookiesFailed',
  'ListenOverflows',
  'ListenDrops',
  'TCPReqQFullDoCookies',
  'TCPReqQFullDrop',
]);
const NAMESPACES_MAX = 256;
/** Processes remembered of a namespace, the newest first. */
const PIDS_MAX = 4;

export interface Namespaces {
  /** An owner of events that are going into a batch. */
  note(owner: Pick<Owner, 'pid' | 'process_network_namespace'>): void;
  /** Reads the counters now; those that are not 0, cumulative. About 100 µs a namespace. */
  counts(): NamespaceCount[];
}

export function createNamespaces(
  config: { readonly namespacesMax?: number } = {},
  deps: { readonly procPath?: string } = {},
): Namespaces {
  const proc = deps.procPath ?? '/proc';
  const pidsOf = createLru<number, readonly number[]>(config.namespacesMax ?? NAMESPACES_MAX);

  /** undefined when no process that is known of lives there any more. */
  function countersOf(namespace: number, pids: readonly number[]): NamespaceCount[] | undefined {
    for (const pid of pids) {
      const folder = `${proc}/${pid}`;
      const text = textOf(`${folder}/net/netstat`);
      // Last: a process that still lives there did so before. Another one of that number is as good.
      if (text !== undefined && namespaceOf(folder) === namespace) return parseCounters(text, namespace);
    }
    return undefined;
  }

  return {
    note({ pid, process_network_namespace: namespace }) {
      if (pid === 0 || namespace === 0) return;
      const pids = pidsOf.get(namespace) ?? [];
      if (pids[0] !== pid)
        pidsOf.set(namespace, [pid, ...pids.filter((other) => other !== pid)].slice(0, PIDS_MAX));
    },
    counts() {
      const self = `${proc}/self`;
      const own = namespaceOf(self);
      const counts = own === undefined ? [] : parseCounters(textOf(`${self}/net/netstat`) ?? '', own);
      for (const [namespace, pids] of pidsOf.entries()) {
        if (namespace === own) continue;
        const found = countersOf(namespace, pids);
        if (found) counts.push(...found);
        else pidsOf.delete(namespace);
      }
      return counts;
    },
  };
}

/** The file has a line of names and one of values a group, both beginning with the group's name. */
function parseCounters(netstat: string, namespace: number): NamespaceCount[] {
  const [names = [], values = []] = netstat
    .split('\n')
    .filter((line) => line.startsWith('TcpExt:'))
    .map((line) => line.split(' '));
  return names
    .map((counter, index) => ({ network_namespace: namespace, counter, value: Number(values[index]) }))
    .filter(({ counter, value }) => COUNTERS.has(counter) && value > 0 && Number.isSafeInteger(value));
}

/** Inode of the network namespace of the process. */
function namespaceOf(folder: string): number | undefined {
  try {
    const inode = /^net:\[(\d+)\]$/.exec(readlinkSync(`${folder}/ns/net`))?.[1];
    return inode === undefined ? undefined : Number(inode);
  } catch {
    return undefined;
  }
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return undefined;
  }
}
