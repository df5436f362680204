/** Batches and accounts made by hand, as the view `completeness` sees them. */
import assert from 'node:assert/strict';
import { after } from 'node:test';
import type { CpuAccount } from '@tcptrail/schemas/batch.ts';
import { cpuAccount } from '../../../test/cpu-account.ts';
import { HOST, type MadeEvent, NOW_US } from '../../../test/spool-writer.ts';
import { insertParked } from '../../src/store/parked.ts';
import { createDatabase, type TestDatabase } from '../database.ts';

/** Start of the run that batches are of, unless another is given. */
export const RUN = NOW_US;

/** Events of CPU 0 with the numbers from `first` to `last`. */
export function numbered(first: number, last: number): MadeEvent[] {
  return Array.from({ length: last - first + 1 }, (_, index) => ({ seq: first + index }));
}

export const account = (change: Partial<CpuAccount>): CpuAccount => cpuAccount(0, change);

/** A database of its own, filled batch by batch, with one CPU's account in each. */
export interface Made {
  readonly database: TestDatabase;
  batch(seq: number, events: readonly MadeEvent[], cpu0: Partial<CpuAccount>, more?: Batch): Promise<void>;
  completeness(): Promise<Row[]>;
  park(batchSeq: number, agentEpoch?: number): Promise<void>;
}

interface Batch {
  readonly run?: number;
  readonly kernelEpoch?: number;
  readonly origin?: string;
}

interface Row {
  readonly verdict: string;
  readonly exact: boolean;
  readonly holes: readonly string[];
  readonly [column: string]: unknown;
}

export async function makeOn(url: string): Promise<Made> {
  const database = await createDatabase(url);
  after(() => database.clickhouse.close());
  return {
    database,
    async batch(seq, events, cpu0, more = {}) {
      const { run = RUN, kernelEpoch = RUN, origin = 'spool:made' } = more;
      const envelope = { agent_epoch: run, kernel_epoch: kernelEpoch, batch_seq: seq, cpus: [account(cpu0)] };
      await database.put(envelope, events, origin);
    },
    completeness: () => database.rows<Row>('SELECT * FROM {db}.completeness ORDER BY kernel_epoch, cpu'),
    async park(batchSeq, agentEpoch = RUN) {
      await insertParked(database.clickhouse, [
        {
          origin: 'spool:made',
          originPartition: 0,
          originOffset: batchSeq,
          identity: { hostId: HOST, agentEpoch, batchSeq },
          reason: 'SEGMENT_CORRUPT',
          detail: '',
        },
      ]);
    },
  };
}

export function assertRow(row: Row | undefined, expected: Partial<Row>): void {
  assert.ok(row);
  const shown = Object.fromEntries(Object.keys(expected).map((key) => [key, row[key]]));
  assert.deepEqual(shown, expected, JSON.stringify(row));
}
