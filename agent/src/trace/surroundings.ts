/**
 * What the agent needs around it and can do without, above all in a container: each thing missing is named with what
 * it costs and how to provide it. tracefs and the sources of the kernel are not needed.
 */
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { BPFFS, CGROUP2_MISSING, cgroup2Root, isMounted, parseMounts } from './mounts.ts';
import { CAP_SYS_ADMIN, CAP_SYS_PTRACE, hasCapability } from './requirements.ts';

export interface Need {
  readonly name: string;
  /** '' when it is met. */
  readonly problem: string;
  /** Evidence that is missing without it. */
  readonly cost: string;
  readonly remedy: string;
}

/** Inodes of the first namespaces, the same on every kernel. */
const FIRST = { pid: 4_026_531_836, cgroup: 4_026_531_835, time: 4_026_531_834 } as const;
/** A setting the kernel shows in its first network namespace alone; the inode of that differs from kernel to kernel. */
const FIRST_NETWORK = 'sys/net/core/netdev_budget';

/** `notPinned`: '' or why the kernel state could not be pinned, from an agent that tried. */
export function surroundings(
  found: { readonly notPinned?: string } = {},
  places: { readonly proc?: string; readonly bpffs?: string } = {},
): readonly Need[] {
  const { proc = '/proc', bpffs = BPFFS } = places;
  const status = text(join(proc, 'self/status'));
  const mounts = text(join(proc, 'self/mountinfo'));
  /** A kernel that has no such namespaces has everything in one. */
  const isOwn = (kind: keyof typeof FIRST): boolean => {
    const inode = /\d+/.exec(link(join(proc, 'self/ns', kind)))?.[0];
    return inode !== undefined && Number(inode) !== FIRST[kind];
  };
  const isPinnable = isMounted(mounts, { type: 'bpf', path: bpffs }) || hasCapability(status, CAP_SYS_ADMIN);
  return [
    {
      name: 'host_pid_namespace',
      problem: isOwn('pid') ? 'the agent runs in a pid namespace of its own' : '',
      cost: 'owners of connections older than the agent; command lines, network namespaces and version 1 cgroups of all',
      remedy: "give the container the host's: pid: host (Docker), hostPID: true (Kubernetes)",
    },
    {
      name: 'host_network_namespace',
      problem: existsSync(join(proc, FIRST_NETWORK))
        ? ''
        : 'the agent runs in a network namespace of its own',
      cost: "the host's counters of SYN cookies and listen overflows; host_name and /metrics are the container's",
      remedy: "give the container the host's: network_mode: host (Docker), hostNetwork: true (Kubernetes)",
    },
    {
      name: 'host_cgroup_namespace',
      problem: isOwn('cgroup') ? 'the agent runs in a cgroup namespace of its own' : '',
      cost: 'container, pod and unit of owners; outside this container, connects that fail before a SYN',
      remedy: "give the container the host's: cgroup: host (Docker), privileged: true (Kubernetes)",
    },
    {
      name: 'host_time_namespace',
      problem: isOwn('time') ? 'the agent runs in a time namespace of its own' : '',
      cost: 'times of events, which are off by what that namespace differs',
      remedy: 'start the agent outside of it',
    },
    {
      name: 'cgroup2',
      problem: cgroup2Root(mounts) === undefined ? CGROUP2_MISSING : '',
      cost: 'connects that fail before a SYN, as those without a route',
      remedy: `mount it (${mountOfCgroup2(mounts)}), or give the container the host's /sys/fs/cgroup`,
    },
    {
      name: 'bpffs',
      problem: found.notPinned || (isPinnable ? '' : `no bpffs at ${bpffs}, and no right to mount one`),
      cost: 'after a kill of the agent, what its rings still held is not told',
      remedy: `mount it (mount -t bpf bpf ${bpffs}) and give it to the container, or give the agent CAP_SYS_ADMIN`,
    },
    {
      name: 'cap_sys_ptrace',
      problem: hasCapability(status, CAP_SYS_PTRACE) ? '' : 'the agent lacks CAP_SYS_PTRACE',
      cost: "network namespaces of other users' processes, and their counters",
      remedy: 'give the container or the unit this capability',
    },
  ];
}

/** Beside version 1, whose trees a mount over /sys/fs/cgroup would cover. */
function mountOfCgroup2(mounts: string): string {
  const isHybrid = parseMounts(mounts).some(({ type }) => type === 'cgroup');
  const path = isHybrid ? '/sys/fs/cgroup/unified' : '/sys/fs/cgroup';
  return `${isHybrid ? `mkdir -p ${path} && ` : ''}mount -t cgroup2 none ${path}`;
}

/** As heartbeats say it, beside the programs. */
export function asCapability({ name, problem, cost, remedy }: Need) {
  return { program: name, attached: problem === '', error: problem && `${problem}; ${remedy}`, cost };
}

function text(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function link(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
}
