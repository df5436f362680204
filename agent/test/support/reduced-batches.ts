/** Records through the stages from the ring to batches, as an independent decoder reads these. */
import { createAccount } from '../../src/encode/account.ts';
import { createBatchBuilder } from '../../src/encode/batch-builder.ts';
import { createBatcher } from '../../src/encode/batcher.ts';
import { createOwners } from '../../src/enrich/owners.ts';
import { createPrivateRecords } from '../../src/privacy/records.ts';
import type { BudgetStep } from '../../src/reduce/budget.ts';
import { createFilter, type FilterRule } from '../../src/reduce/filter.ts';
import { createReducer, type ReducerConfig } from '../../src/reduce/reducer.ts';
import { closeOf, SINCE_NS, type Values } from './closes.ts';
import { type OracleBatch, readDatum } from './oracle.ts';

export const CPUS = 4;
const NOW_US = 1_700_000_000_000_000;

export interface Options extends Partial<ReducerConfig> {
  readonly filters?: readonly FilterRule[];
  readonly steps?: readonly BudgetStep[];
  readonly boottimeNs?: () => bigint;
  /** Of a process; absent: `/usr/sbin/nginx`. */
  readonly executableOf?: (pid: number) => string;
  /** Owners that are known at once. */
  readonly ownersMax?: number;
}

export function createReducedBatches(options: Options = {}) {
  const config: ReducerConfig = {
    fold: true,
    flushMs: 500,
    windowMs: 10_000,
    rowsMax: 2_000,
    bytesMax: 900_000,
    openHoldMs: 1_000,
    sinceNs: SINCE_NS,
    ...options,
  };
  const account = createAccount();
  const owners = createOwners(
    { agentPid: 1, supervisorPid: 0, ...(options.ownersMax && { entriesMax: options.ownersMax }) },
    {
      facts: ({ pid }) => ({
        executable: options.executableOf?.(pid) ?? '/usr/sbin/nginx',
        command_line: `command ${pid}`,
        parent_executable: '/sbin/init',
        cgroup_path: '/system.slice/nginx.service',
        container_id: '',
        pod_uid: '',
        systemd_unit: 'nginx.service',
        process_network_namespace: 1,
      }),
      clockOffsetUs: () => NOW_US,
    },
  );
  const builder = createBatchBuilder(
    { ...config, cpus: CPUS },
    { owners, clockOffsetUs: () => NOW_US, onRow: account.row, onBad: account.bad, resetReason: () => '' },
  );
  const records = createPrivateRecords({ addresses: undefined, users: undefined });
  const reducer = createReducer(config, {
    ...{ owners, builder, account, records },
    boottimeNs: options.boottimeNs ?? (() => SINCE_NS),
  });
  reducer.setFilter(createFilter(options.filters ?? []), 0n);
  reducer.setSteps(options.steps ?? []);
  const batches: OracleBatch[] = [];
  const batcher = createBatcher(
    {
      host_name: 'host',
      host_id: 'id',
      boot_id: 'boot',
      agent_version: '0.0.0',
      agent_epoch: NOW_US,
      kernel_release: '6.1',
      labels: {},
    },
    {
      builder: reducer,
      nowUs: () => NOW_US,
      accounting: () => ({
        kernel_epoch: 1,
        ring_positions: [],
        cpus: account.cpus({}),
        failed_reserves: [],
        rules: reducer.counts.list,
        programs: [],
      }),
      namespaces: () => [],
      onBatch: ({ datum }) => batches.push(readDatum(datum)),
    },
  );
  return {
    config,
    reducer,
    account,
    batches,
    append(...records: readonly Values[]) {
      for (const record of records) {
        const { words, bytes, at } = closeOf(record);
        if (reducer.isFull()) batcher.flush();
        reducer.append(words, bytes, at);
      }
    },
    /** Closes the batch, and gives its rows. */
    close(): OracleBatch['events'] {
      const before = batches.length;
      batcher.flush();
      return batches.length > before ? (batches.at(-1)?.events ?? []) : [];
    },
  };
}
