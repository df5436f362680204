/** What a scenario needs of the machine, probed by doing it: never by a version. */
import { readFileSync } from 'node:fs';
import type { Actor, Stage } from './actor.ts';
import { TCP_CONGESTION } from './linux.ts';
import { createNetwork, type Network } from './network.ts';

/** Of TCP_INFO. */
const CLOSED = 7;

const PROBES = {
  nftables: async (network: Network) => await network.run('nft list tables'),
  tbf: async (network: Network) => {
    await network.run('tc qdisc add dev lo root tbf rate 1mbit burst 20kb limit 30kb');
    await network.run('tc qdisc del dev lo root');
  },
  raw: async (network: Network) => await network.steward.must('raw 127.0.0.1 1 127.0.0.1 1 R 0 0'),
  ipv6: async (network: Network) => await (await network.steward.socket('ipv6')).bind('::1'),
  mptcp: async (network: Network) => await network.steward.socket('ipv4', 'mptcp'),
  mptcp_endpoint: async (network: Network) => await network.run('ip mptcp endpoint show'),
  io_uring: async (network: Network) => await network.steward.must('uring'),
  cubic: async (network: Network) => await (await network.steward.socket()).set(TCP_CONGESTION, 'cubic'),
  bbr: async (network: Network) => await (await network.steward.socket()).set(TCP_CONGESTION, 'bbr'),
  cgroup2: async (_: Network, stage: Stage) => assertThat(stage.cgroup !== '', 'cgroup2 is not mounted'),
  /** `ss -K`: a kernel that cannot ends nothing, and does not say so. */
  sock_destroy: async ({ steward, run }: Network) => {
    const [listener, client] = [await steward.socket(), await steward.socket()];
    await listener.listen('127.0.0.1');
    const { port = 0 } = listener.listening?.local ?? {};
    await client.connect({ address: '127.0.0.1', port });
    await run(`ss -K dport = ${port}`);
    const { state } = await client.info();
    assertThat(state === CLOSED, 'ss -K ends no connection (CONFIG_INET_DIAG_DESTROY)');
  },
  /** A process that only sends is seen to: tcp_sendmsg_locked or sock_send_length. */
  send_hook: async () => {
    const btf = readFileSync('/sys/kernel/btf/vmlinux', 'latin1');
    assertThat(/btf_trace_(tcp_sendmsg_locked|sock_send_length)/.test(btf), 'no tracepoint on sends');
  },
  /** Resets without a socket are traced. */
  reset_reason: async () => {
    const btf = readFileSync('/sys/kernel/btf/vmlinux', 'latin1');
    assertThat(btf.includes('sk_rst_reason'), 'the kernel gives no reasons for resets');
  },
} as const satisfies Record<string, (network: Network, stage: Stage) => Promise<unknown>>;

export type Need = keyof typeof PROBES;

function assertThat(isSo: boolean, otherwise: string): void {
  if (!isSo) throw new Error(otherwise);
}

/** What this machine cannot do, and why. */
export async function probeNeeds(stage: Stage): Promise<ReadonlyMap<Need, string>> {
  const actors: Actor[] = [];
  const network = await createNetwork(stage, actors);
  const lacking = new Map<Need, string>();
  for (const need of Object.keys(PROBES) as Need[]) {
    try {
      await PROBES[need](network, stage);
    } catch (error) {
      lacking.set(need, (error as Error).message.split('\n')[0] ?? '');
    }
  }
  await network.steward.end();
  return lacking;
}
