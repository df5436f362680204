/** The fields of an owner: the process a connection belongs to, and what it runs in. */
import { agent, avroFields, type Field, kernel } from './field.ts';

export const OWNER_FIELDS: readonly Field[] = [
  kernel(
    'pid',
    'u32',
    '',
    'Process id in the initial namespace; 0 when the owner is not known, and in a summary of several processes.',
    {
      otel: 'process.pid',
    },
  ),
  kernel('process_start_ts', 'time', 'us', 'Start of the process; with pid it names the process.', {
    otel: 'process.creation.time',
    codec: 'Delta(8), ZSTD(1)',
  }),
  kernel('uid', 'u32', '', 'User the process ran as.', { otel: 'process.user.id' }),
  kernel('comm', 'name16', '', "The kernel's short name of the process.", { otel: 'process.command' }),
  kernel('parent_pid', 'u32', '', 'Parent process id.', { otel: 'process.parent_pid' }),
  kernel('exec_id', 'u32', '', 'How many programs the process has run before this one.', { ringOnly: true }),
  kernel('cgroup_id', 'u64', '', 'cgroup v2 id of the process.'),
  agent(
    'executable',
    'text',
    '',
    'Path of the executable; empty when the process ended before it was read.',
    {
      otel: 'process.executable.path',
    },
  ),
  agent('command_line', 'string', '', 'Command line; off by default.', { otel: 'process.command_line' }),
  agent('parent_executable', 'text', '', "Path of the parent's executable."),
  agent('cgroup_path', 'text', '', 'cgroup path of the process.', { otel: 'process.linux.cgroup' }),
  agent('container_id', 'text', '', 'Container id out of the cgroup path.', { otel: 'container.id' }),
  agent('pod_uid', 'text', '', 'Kubernetes pod uid out of the cgroup path.', { otel: 'k8s.pod.uid' }),
  agent('systemd_unit', 'text', '', 'systemd unit out of the cgroup path.'),
  agent('process_network_namespace', 'u32', '', "Inode of the process's network namespace; 0 when not read."),
];

/** An owner as batches carry it. */
export const AVRO_OWNER_FIELDS = avroFields(OWNER_FIELDS);
