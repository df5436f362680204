/** A batch envelope with a value in every place, for tests. */
import type { BatchEnvelope, Owner } from '@tcptrail/schemas/batch.ts';
import { cpuAccount } from './cpu-account.ts';

export const SAMPLE_OWNER: Owner = {
  pid: 4242,
  process_start_ts: 1_790_000_001_000_000,
  uid: 1000,
  comm: 'curl',
  parent_pid: 4000,
  cgroup_id: 77,
  executable: '/usr/bin/curl',
  command_line: '',
  parent_executable: '/bin/bash',
  cgroup_path: '/user.slice/user-1000.slice/session-1.scope',
  container_id: '',
  pod_uid: '',
  systemd_unit: 'session-1.scope',
  process_network_namespace: 4026531840,
};

export function sampleEnvelope(change: Partial<BatchEnvelope> = {}): BatchEnvelope {
  return {
    maybe_duplicate: false,
    host_name: 'web-1',
    host_id: '0123456789abcdef0123456789abcdef',
    boot_id: '11111111-2222-3333-4444-555555555555',
    agent_version: '0.1.0',
    agent_epoch: 1_790_000_010_000_000,
    batch_seq: 7,
    batch_part: 1,
    kernel_epoch: 1_790_000_010_000_100,
    batch_ts: 1_790_000_070_000_000,
    kernel_release: '6.18.0',
    labels: { team: 'payments', zone: 'a' },
    owners: [SAMPLE_OWNER],
    ring_positions: [
      { ring: 'lifecycle', position: 4800 },
      { ring: 'chatter', position: 0 },
    ],
    cpus: [cpuAccount(9, { rows_ahead: 1 })],
    failed_reserves: [{ ring: 'chatter', kind: 'retransmit', count: 3 }],
    rules: [{ rule: 'loopback', folded: 0, filtered: 5 }],
    programs: [{ program: 'state_owned', skipped_runs: 2, absent_runs: 0 }],
    namespaces: [{ network_namespace: 4026531840, counter: 'ListenOverflows', value: 1 }],
    health: {
      capabilities: [{ program: 'state_owned', attached: true, error: '', cost: 'open, fail and close' }],
      cpu_us: 120_000,
      memory_bytes: 90_000_000,
      spool_bytes: 4096,
      spool_segments: 1,
      publish_lag_us: 500_000,
      clock_error_us: 3,
      older_told: true,
    },
    ...change,
  };
}
