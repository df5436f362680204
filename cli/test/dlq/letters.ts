/** What tests of `tcptrail dlq` do over and over. */
import assert from 'node:assert/strict';
import type { BatchEnvelope } from '@tcptrail/schemas/batch.ts';
import type { Setup } from '../../../consumer/test/kafka-setup.ts';
import type { TestServer } from '../../../test/harness/server.ts';
import { datumOf, NOW_US } from '../../../test/spool-writer.ts';
import { type Ended, run } from '../run-command.ts';

export const ROWS = 10;
/** Batch `batchSeq` with ten events of its own, and the account of its CPU up to it. */
export function batch(batchSeq: number, change: Partial<BatchEnvelope> = {}): Uint8Array {
  const last = batchSeq * ROWS;
  const events = Array.from({ length: ROWS }, (_, index) => ({ seq: last - ROWS + 1 + index }));
  const none = { failed: 0, folded: 0, filtered: 0, folded_ahead: 0, filtered_ahead: 0, spool_dropped: 0 };
  const cpus = [{ cpu: 0, seq_last: last, rows: last, rows_ahead: 0, ...none }];
  return datumOf({ agent_epoch: NOW_US, kernel_epoch: NOW_US, batch_seq: batchSeq, cpus, ...change }, events);
}

export async function once(setup: Pick<Setup, 'start'>): Promise<void> {
  const consumer = setup.start(['--once']);
  assert.equal(await consumer.exited, 0, consumer.output());
}

/** Batch `batchSeq` is refused until `mend`. */
export async function refuse(
  { client }: TestServer,
  setup: { readonly database: string },
  batchSeq: number,
): Promise<() => Promise<void>> {
  const table = `${setup.database}.tcp_events`;
  await client.command({
    query: `ALTER TABLE ${table} ADD CONSTRAINT refused CHECK batch_seq != ${batchSeq}`,
  });
  return async () => {
    await client.command({ query: `ALTER TABLE ${table} DROP CONSTRAINT refused` });
  };
}

export const dlq = (setup: { readonly file: string }, ...args: readonly string[]): Promise<Ended> =>
  run(['dlq', ...args, '--config', setup.file]);

export interface Line {
  readonly id: string;
  readonly state: string;
  readonly reason: string;
  readonly origin: string;
  readonly origin_offset: number;
  readonly bytes: number;
  readonly host_id: string;
}

export async function list(setup: { readonly file: string }, ...args: readonly string[]): Promise<Line[]> {
  const ended = await dlq(setup, 'list', '--json', ...args);
  assert.equal(ended.code, 0, ended.stderr);
  return ended.stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);
}

export async function verdict(setup: Pick<Setup, 'rows'>): Promise<object | undefined> {
  const rows = await setup.rows<object>(
    'SELECT verdict, exact, missing, parked, discarded, doubled FROM {db}.completeness',
  );
  assert.equal(rows.length, 1);
  return rows[0];
}
export const COMPLETE = { verdict: 'complete', exact: true, missing: 0, parked: 0, discarded: 0, doubled: 0 };
