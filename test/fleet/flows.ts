/** Who talks to whom in the made fleet: each host's programs, what they serve or call, how often and how much. */
import type { Owner } from '@tcptrail/schemas/batch.ts';
import { SAMPLE_OWNER } from '../sample-batch.ts';

export const HOSTS = 50;

/** Addresses one of which is the other end; IPv4. */
interface Peers {
  readonly first: number;
  readonly size: number;
  /** zipf: few heavy hitters and a long tail; even: each as often. */
  readonly skew: 'zipf' | 'even';
}

export interface Flow {
  readonly role: 'client' | 'server';
  readonly executable: string;
  readonly uid: number;
  readonly port: number;
  readonly peers: Peers;
  /** Share of the host's connections. */
  readonly share: number;
  /** Medians and spreads of log-normal sizes. */
  readonly sent: readonly [bytes: number, spread: number];
  readonly received: readonly [bytes: number, spread: number];
  readonly durationUs: readonly [us: number, spread: number];
  /** Round trip to the middle of its peers, and how far peers differ. */
  readonly rttUs: readonly [us: number, spread: number];
  /** Share that never is established. */
  readonly failures: number;
  /** Share that loses segments. */
  readonly lossy: number;
}

const INTERNET: Peers = { first: 0x2000_0000, size: 2_000_000, skew: 'zipf' };
const SERVICES: Peers = { first: 0x0d00_0000, size: 4_000, skew: 'zipf' };
const hosts = (first: number, size: number): Peers => ({ first: hostAddress(first), size, skew: 'even' });

export function hostAddress(host: number): number {
  return 0x0a00_0100 + host;
}

const LAN = { rttUs: [220, 0.3], failures: 0.002, lossy: 0.002 } as const;
const WAN = { rttUs: [28_000, 0.8], failures: 0.02, lossy: 0.06 } as const;

type Program = Pick<Flow, 'role' | 'port' | 'executable' | 'uid'>;
const serves = (port: number, executable: string, uid: number): Program => ({
  role: 'server',
  port,
  executable,
  uid,
});
const calls = (port: number, executable: string, uid: number): Program => ({
  ...serves(port, executable, uid),
  role: 'client',
});

const NGINX = '/usr/sbin/nginx';
const JAVA = '/usr/lib/jvm/java-21/bin/java';

/** What every host has. */
const EVERYWHERE: readonly Flow[] = [
  {
    ...serves(9100, '/usr/bin/node_exporter', 998),
    ...LAN,
    peers: hosts(48, 2),
    share: 0.04,
    sent: [48_000, 0.05],
    received: [260, 0.02],
    durationUs: [31_000, 0.3],
  },
  {
    ...serves(22, '/usr/sbin/sshd', 0),
    ...WAN,
    peers: INTERNET,
    share: 0.01,
    failures: 0.3,
    sent: [2_400, 0.8],
    received: [1_900, 0.8],
    durationUs: [2_100_000, 1.2],
  },
  {
    ...calls(443, '/usr/bin/curl', 1000),
    ...WAN,
    peers: SERVICES,
    share: 0.03,
    sent: [900, 0.6],
    received: [9_000, 1.6],
    durationUs: [240_000, 0.9],
  },
  {
    ...calls(443, '/usr/bin/vector', 995),
    ...WAN,
    peers: { first: 0x0d10_0000, size: 6, skew: 'even' },
    share: 0.02,
    sent: [180_000, 1],
    received: [4_000, 0.2],
    durationUs: [61_000_000, 0.7],
  },
];

const WEB: readonly Flow[] = [
  {
    ...serves(443, NGINX, 33),
    ...WAN,
    peers: INTERNET,
    share: 0.5,
    sent: [21_000, 1.7],
    received: [1_500, 0.9],
    durationUs: [420_000, 1.7],
  },
  {
    ...calls(8080, NGINX, 33),
    ...LAN,
    peers: hosts(20, 20),
    share: 0.4,
    sent: [1_600, 0.8],
    received: [14_000, 1.4],
    durationUs: [46_000, 1.1],
  },
];

const APP: readonly Flow[] = [
  {
    ...serves(8080, JAVA, 1001),
    ...LAN,
    peers: hosts(0, 20),
    share: 0.45,
    sent: [14_000, 1.4],
    received: [1_600, 0.8],
    durationUs: [46_000, 1.1],
  },
  {
    ...calls(5432, JAVA, 1001),
    ...LAN,
    peers: hosts(40, 4),
    share: 0.15,
    sent: [9_000, 1.2],
    received: [60_000, 1.6],
    durationUs: [9_000_000, 1.6],
  },
  {
    ...calls(6379, JAVA, 1001),
    ...LAN,
    peers: hosts(44, 4),
    share: 0.2,
    sent: [700, 0.5],
    received: [1_900, 0.9],
    durationUs: [2_200, 0.6],
  },
  {
    ...calls(443, JAVA, 1001),
    ...WAN,
    peers: SERVICES,
    share: 0.1,
    sent: [2_100, 0.8],
    received: [7_000, 1.1],
    durationUs: [310_000, 1],
  },
];

const DATA: readonly Flow[] = [
  {
    ...serves(5432, '/usr/lib/postgresql/16/bin/postgres', 113),
    ...LAN,
    peers: hosts(20, 20),
    share: 0.6,
    sent: [60_000, 1.6],
    received: [9_000, 1.2],
    durationUs: [9_000_000, 1.6],
  },
  {
    ...serves(6379, '/usr/bin/redis-server', 112),
    ...LAN,
    peers: hosts(20, 20),
    share: 0.3,
    sent: [1_900, 0.9],
    received: [700, 0.5],
    durationUs: [2_200, 0.6],
  },
];

const WATCH: readonly Flow[] = [
  {
    ...calls(9100, '/usr/bin/prometheus', 997),
    ...LAN,
    peers: hosts(0, 50),
    share: 0.9,
    sent: [260, 0.02],
    received: [48_000, 0.05],
    durationUs: [31_000, 0.3],
  },
];

/** Flows of a host; their shares sum to 1. */
export function flowsOf(host: number): readonly Flow[] {
  const own = host < 20 ? WEB : host < 40 ? APP : host < 48 ? DATA : WATCH;
  return [...own, ...EVERYWHERE];
}

/** The owners of a host's flows, in their order. */
export function ownersOf(host: number): readonly Owner[] {
  return flowsOf(host).map((flow, index) => {
    const name = flow.executable.slice(flow.executable.lastIndexOf('/') + 1);
    return {
      ...SAMPLE_OWNER,
      pid: 700 + host * 17 + index * 31,
      uid: flow.uid,
      comm: name.slice(0, 15),
      parent_pid: 1,
      cgroup_id: 4_000 + index,
      executable: flow.executable,
      parent_executable: '/usr/lib/systemd/systemd',
      cgroup_path: `/system.slice/${name}.service`,
      systemd_unit: `${name}.service`,
    };
  });
}
