/** What tests of `tcptrail dlq` do over and over. */
import assert from 'node:assert/strict';
import type { KafkaSetup } from '../../../test/harness/kafka-consumer.ts';
import type { TestServer } from '../../../test/harness/server.ts';
import { type Ended, run } from '../run-command.ts';

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

export async function verdict(setup: Pick<KafkaSetup, 'rows'>): Promise<object | undefined> {
  const rows = await setup.rows<object>(
    'SELECT verdict, exact, missing, parked, discarded, doubled FROM {db}.completeness',
  );
  assert.equal(rows.length, 1);
  return rows[0];
}
export const COMPLETE = { verdict: 'complete', exact: true, missing: 0, parked: 0, discarded: 0, doubled: 0 };
