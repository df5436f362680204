/** All batches of a spool, as avsc reads them. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { batchesOf } from '@tcptrail/agent/spool/segment-reader.ts';
import type { Capability } from '@tcptrail/agent/trace/programs.ts';
import { BATCH_TYPE } from '../../avsc-oracle.ts';

type Row = Readonly<Record<string, unknown>>;

export interface SpooledBatch {
  readonly events: readonly Row[];
  readonly owners: readonly Row[];
  readonly cpus: readonly Readonly<Record<string, bigint>>[];
  readonly health: { readonly capabilities: readonly Capability[] } | null;
}

export function spooled(spool: string): SpooledBatch[] {
  const segments = readdirSync(spool).filter((file) => file.endsWith('.avro'));
  return segments
    .toSorted()
    .flatMap((file) => [...batchesOf(join(spool, file))])
    .map(({ datum }) => BATCH_TYPE.fromBuffer(Buffer.from(datum)) as SpooledBatch);
}
