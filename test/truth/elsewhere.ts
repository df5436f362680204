/**
 * Rows of a scenario that stand in no namespace of its, or before it began: whatever they say is untrue. Known by
 * other evidence than the namespace: the cookie, the process, addresses and ports. Pure.
 */
import { type Check, isCheck } from './check.ts';
import { startOf } from './clock.ts';
import type { Expectation } from './expected.ts';
import type { Process } from './reply.ts';
import type { Row } from './rows.ts';

/** What is known of one scenario. */
export interface Known {
  readonly expectations: readonly Expectation[];
  readonly networks: readonly { readonly inode: number; readonly sinceUs: number }[];
  readonly processes: readonly Process[];
}

export interface Elsewhere<Of extends Known> {
  /** Whose row it is, when it stands elsewhere than it should. */
  ownerOf(row: Row): Of | undefined;
}

/** `hostNamespace`: where the suite itself runs. */
export function createElsewhere<Of extends Known>(all: readonly Of[], hostNamespace: number): Elsewhere<Of> {
  const cookies = new Map<number, Of>();
  const processes = new Map<number, { readonly start: Check; readonly of: Of }[]>();
  const endpoints = new Map<string, Of>();

  const learn = (of: Of, pid: number, start: Check): void => {
    processes.set(pid, [...(processes.get(pid) ?? []), { start, of }]);
  };
  for (const of of all) {
    for (const process of of.processes) learn(of, process.pid, startOf(process));
    for (const { key, fields } of of.expectations) {
      const { socket_cookie: cookie, pid, process_start_ts: start } = { ...fields, ...key };
      if (typeof cookie === 'number' && cookie > 0) cookies.set(cookie, of);
      if (typeof pid === 'number' && start !== undefined && isCheck(start)) learn(of, pid, start);
      endpoints.set(endpointsOf({ ...fields, ...key }), of);
    }
  }
  // Half an address is nobody's: a listener's, or a row of which not all is expected.
  for (const text of endpoints.keys()) if (!WHOLE.test(text)) endpoints.delete(text);

  function byProcess(row: Row): Of | undefined {
    const start = row['process_start_ts'] ?? 0;
    return processes.get(Number(row['pid']))?.find((one) => one.start.holds(start, row))?.of;
  }

  /** Another suite may use the same ports at the same time, in namespaces of its own. */
  function byEndpoints(row: Row): Of | undefined {
    const isNowhere = row['network_namespace'] === 0 || row['network_namespace'] === hostNamespace;
    return isNowhere ? endpoints.get(endpointsOf(row)) : undefined;
  }

  return {
    ownerOf(row) {
      const of = cookies.get(Number(row['socket_cookie'])) ?? byProcess(row) ?? byEndpoints(row);
      const isHome = of?.networks.some(
        ({ inode, sinceUs }) => inode === row['network_namespace'] && Number(row['ts']) >= sinceUs,
      );
      return isHome ? undefined : of;
    },
  };
}

const WHOLE = /^[0-9a-f]{32} [1-9]\d* [0-9a-f]{32} [1-9]\d*$/;

const endpointsOf = (row: Readonly<Record<string, unknown>>): string =>
  [row['local_address'], row['local_port'], row['peer_address'], row['peer_port']].join(' ');
