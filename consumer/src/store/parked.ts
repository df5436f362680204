/** Names parked batches in tcp_parked; inserting one again changes nothing (ReplacingMergeTree, read FINAL). */
import { hostname } from 'node:os';
import { timeText } from '@tcptrail/schemas/time-text.ts';
import type { ClickHouse } from './clickhouse.ts';
import { insertBlock } from './insert.ts';
import type { Parked } from './range.ts';

export async function insertParked(clickhouse: ClickHouse, parked: readonly Parked[]): Promise<void> {
  if (parked.length === 0) return;
  const lines = parked.map(({ identity, ...batch }) =>
    JSON.stringify({
      origin: batch.origin,
      origin_partition: batch.originPartition,
      origin_offset: batch.originOffset,
      host_id: identity.hostId,
      agent_epoch: timeText(identity.agentEpoch),
      batch_seq: identity.batchSeq,
      reason: batch.reason,
      detail: batch.detail,
      parked_by: hostname(),
    }),
  );
  await insertBlock(clickhouse, {
    table: 'tcp_parked',
    format: 'JSONEachRow',
    body: Buffer.from(`${lines.join('\n')}\n`),
    logComment: 'tcptrail parked',
  });
}
