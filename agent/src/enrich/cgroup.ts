/** What a cgroup path says about the container, the pod and the unit a process runs in. Pure. */

export interface CgroupFacts {
  /** 64 hexadecimal digits, or '' outside containers. */
  readonly container_id: string;
  /** Kubernetes pod uid with dashes, or ''. */
  readonly pod_uid: string;
  /** Innermost systemd service, scope or slice that is no container and no pod, or ''. */
  readonly systemd_unit: string;
}

/**
 * docker-<id>.scope, cri-containerd-<id>.scope, crio-<id>.scope, libpod-<id>.scope (systemd driver);
 * /docker/<id>, /kubepods/…/<id>, <namespace>:<runtime>:<id> (cgroupfs driver); crio-conmon-… is the monitor, not
 * the container.
 */
const CONTAINER =
  /^(?:(?!crio-conmon-|libpod-conmon-)[a-z][a-z0-9.-]*-|.*:)?([0-9a-f]{64})(?:\.scope|\.service)?$/;
/** kubepods-burstable-pod0a1b2c3d_….slice (systemd writes dashes as _), or /pod0a1b2c3d-…, or a static pod's hash. */
const POD =
  /(?:^|-)pod([0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}|[0-9a-f]{32})(?:\.slice)?$/;
const UNIT = /\.(?:service|scope|socket|slice)$/;

/** `path` as in /proc/<pid>/cgroup. */
export function cgroupFacts(path: string): CgroupFacts {
  let containerId = '';
  let podUid = '';
  let unit = '';
  let slice = '';
  for (const part of path.split('/')) {
    const container = CONTAINER.exec(part)?.[1];
    const pod = POD.exec(part)?.[1];
    if (container !== undefined) containerId = container;
    else if (pod !== undefined) podUid = pod.replaceAll('_', '-');
    else if (part.endsWith('.slice')) slice = part;
    else if (UNIT.test(part)) unit = part;
  }
  return { container_id: containerId, pod_uid: podUid, systemd_unit: unit || slice };
}

/**
 * The path out of the text of /proc/<pid>/cgroup; '' when there is none.
 *
 * Hosts that mount both keep their processes in the v1 hierarchies and leave the v2 path at `/`: then the systemd
 * hierarchy speaks, then any other.
 */
export function cgroupPath(text: string): string {
  let v2: string | undefined;
  let systemd = '/';
  let other = '/';
  for (const line of text.split('\n')) {
    const [, hierarchy, controllers, path] = /^(\d+):([^:]*):(.*)$/.exec(line) ?? [];
    if (path === undefined) continue;
    if (hierarchy === '0' && controllers === '') v2 = path;
    else if (controllers === 'name=systemd') systemd = path;
    else if (other === '/') other = path;
  }
  if (v2 !== undefined && v2 !== '/') return v2;
  const v1 = systemd !== '/' ? systemd : other;
  return v1 !== '/' ? v1 : (v2 ?? '');
}
