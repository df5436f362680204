/** Batches made by the product's own encoder, for tests of what comes after it. */

import { UNKNOWN_OWNER } from '@tcptrail/schemas/batch.ts';
import { createAccount } from '../../src/encode/account.ts';
import { createBatchBuilder } from '../../src/encode/batch-builder.ts';
import { createBatcher } from '../../src/encode/batcher.ts';
import { type RecordParts, ringOf } from './ring-record.ts';

const NOW_US = 1_700_000_000_000_000;

/** One datum a list of records; numbered from 1, accounts cumulative. */
export function dataOf(options: {
  readonly kernelEpoch?: number;
  readonly agentEpoch?: number;
  readonly batches: readonly (readonly RecordParts[])[];
}): Uint8Array[] {
  const data: Uint8Array[] = [];
  const account = createAccount();
  const builder = createBatchBuilder(
    { rowsMax: 10_000, bytesMax: 8 * 1024 * 1024, cpus: 65_536 },
    {
      owners: { indexOf: () => 0, own: false, bytes: 0, take: () => [UNKNOWN_OWNER] },
      clockOffsetUs: () => NOW_US,
      onRow: account.row,
      onBad: account.bad,
      resetReason: () => '',
    },
  );
  const batcher = createBatcher(
    {
      host_name: 'host',
      host_id: 'id',
      boot_id: 'boot',
      agent_version: '0.0.0',
      agent_epoch: options.agentEpoch ?? NOW_US,
      kernel_release: '6.1',
      labels: {},
    },
    {
      builder,
      nowUs: () => NOW_US,
      accounting: () => ({
        kernel_epoch: options.kernelEpoch ?? 1,
        ring_positions: [],
        cpus: account.cpus({}),
        failed_reserves: [],
        rules: [],
        programs: [],
      }),
      namespaces: () => [],
      onBatch: ({ datum }) => data.push(datum),
    },
  );
  for (const records of options.batches) {
    const ring = ringOf(...records);
    for (const at of ring.at) builder.append(ring.words, ring.bytes, at);
    batcher.flush();
  }
  return data;
}

/** `count` records of one CPU with running numbers and poorly compressible ports. */
export function recordsOf(count: number, options: { cpu?: number; from?: number } = {}): RecordParts[] {
  const from = options.from ?? 1;
  return Array.from({ length: count }, (_, index) => ({
    cpu: options.cpu ?? 0,
    seq: from + index,
    peerPort: ((from + index) * 40_503) & 0xffff,
  }));
}
