/** Whose a row says that a connection is, as the processes know themselves. */
import { atLeast, type Check, oneOf } from './check.ts';
import { startOf } from './clock.ts';
import type { Fields } from './expected.ts';
import type { Process } from './reply.ts';
import type { Life, Listening } from './socket.ts';

export function ownerFields(process: Process, source: string | Check): Fields {
  return {
    owner_source: source,
    pid: process.pid,
    process_start_ts: startOf(process),
    uid: process.uid,
    comm: process.comm,
    parent_pid: process.parent,
    executable: process.executable,
    parent_executable: process.parent_executable,
    process_network_namespace: process.network_namespace,
    ...(process.cgroup_id > 0
      ? {
          cgroup_id: process.cgroup_id,
          cgroup_path: process.cgroup_path,
          container_id: '',
          pod_uid: '',
          systemd_unit: '',
        }
      : {}),
  };
}

export const NO_OWNER: Fields = {
  pid: 0,
  comm: '',
  executable: '',
  parent_pid: 0,
  parent_executable: '',
  process_start_ts: 0,
};

/** The ladder of evidence: connect, then first I/O, then close, then the listener. */
export function lifeOwner(life: Life, listener: Listening | undefined): Fields {
  if (life.opener) return ownerFields(life.opener, 'connect');
  if (life.firstIo) return ownerFields(life.firstIo, 'first_io');
  if (life.closer) return ownerFields(life.closer, 'close');
  return listener ? ownerFields(listener.process, 'listener') : {};
}

/** What is known of the owner grows: an `open` may come before the first I/O. */
export function ownerOfOpen(life: Life, listener: Listening | undefined): Fields {
  if (life.opener || !listener) return {};
  const processes = [listener.process, life.firstIo, life.closer].filter((process) => process !== undefined);
  return {
    owner_source: oneOf('listener', 'first_io', 'close'),
    pid: oneOf(...processes.map(({ pid }) => pid)),
    comm: oneOf(...processes.map(({ comm }) => comm)),
    parent_pid: oneOf(...processes.map(({ parent }) => parent)),
    process_start_ts: atLeast(1),
    executable: oneOf(...processes.map(({ executable }) => executable)),
    parent_executable: oneOf(...processes.map(({ parent_executable }) => parent_executable)),
    uid: oneOf(...processes.map(({ uid }) => uid)),
  };
}
