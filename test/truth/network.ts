/** Network namespaces of a scenario, and the links between them. */
import { openSync, readFileSync } from 'node:fs';
import { type Actor, type Stage, startActor } from './actor.ts';

export interface Network {
  readonly inode: number;
  /** When it was made. µs. */
  readonly sinceUs: number;
  /** Has no sockets: for what is done to the network itself. */
  readonly steward: Actor;
  /** Addresses of its end of the link; of the loopback without one. */
  readonly ipv4: string;
  readonly ipv6: string;
  actor(program?: string): Promise<Actor>;
  /** Writes a sysctl, named as sysctl(8) does. Throws when it is refused. */
  sysctl(name: string, value: string | number): Promise<void>;
  /** Runs a command, its words parted by blanks; throws with what it said when it fails. */
  run(command: string): Promise<string>;
  link(state: 'up' | 'down'): Promise<void>;
  /** `file` of /proc/net as this namespace sees it. */
  proc(file: string): string;
}

const LINK = 'link';
const PREFIX = { ipv4: 24, ipv6: 64 };

/** Every actor goes to `actors`: they are the caller's to end. */
export async function createNetwork(stage: Stage, actors: Actor[]): Promise<Network> {
  const steward = await startActor(stage);
  actors.push(steward);
  const { before: sinceUs } = await steward.must('newnet');
  await steward.must('up lo');
  const { pid } = steward.process;
  // Held until the suite ends: an inode must not name two namespaces. Where it is, actors find it.
  const held = `/proc/${process.pid}/fd/${openSync(`/proc/${pid}/ns/net`, 'r')}`;
  await steward.become('name steward');

  const network: Network = {
    inode: steward.process.network_namespace,
    sinceUs,
    steward,
    ipv4: '127.0.0.1',
    ipv6: '::1',
    async actor(program) {
      const actor = await startActor(stage, program);
      actors.push(actor);
      await actor.become(`setns ${held}`);
      return actor;
    },
    async sysctl(name, value) {
      await steward.must(`write /proc/sys/${name.replaceAll('.', '/')} ${value}`);
    },
    async run(command) {
      const { status, output } = await steward.ask(`run ${command}`);
      if (status !== 0) throw new Error(`${command}: ${output}`);
      return output;
    },
    async link(state) {
      await steward.must(`${state} ${LINK}`);
    },
    proc: (file) => readFileSync(`/proc/${pid}/net/${file}`, 'utf8'),
  };
  return network;
}

/** Joins two namespaces by a pair of virtual Ethernet devices. */
export async function joinNetworks(near: Network, far: Network): Promise<readonly [Network, Network]> {
  await near.steward.must(`veth ${LINK} ${LINK} ${far.steward.process.pid}`);
  const ends = [near, far].map((network, index) => ({
    ...network,
    ipv4: `10.9.0.${index + 1}`,
    ipv6: `fd09::${index + 1}`,
  }));
  for (const { steward, ipv4, ipv6 } of ends) {
    await steward.must(`address ${LINK} ${ipv4} ${PREFIX.ipv4}`);
    await steward.must(`address ${LINK} ${ipv6} ${PREFIX.ipv6}`);
    await steward.must(`up ${LINK}`);
  }
  return ends as [Network, Network];
}
