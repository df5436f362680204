/** Which batch a datum is, read without touching its owners and events. */
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { createAvroReader } from '@tcptrail/schemas/avro-reader.ts';
import { decodeHead } from '@tcptrail/schemas/batch.ts';
import type { BatchIdentity } from './transport.ts';

export interface Glance {
  readonly identity: BatchIdentity;
  /** Events of the first block; an agent writes one block. */
  readonly rows: number;
}

/** Undefined when even the head of the datum does not decode. */
export function glance(datum: Uint8Array): Glance | undefined {
  try {
    const { head, eventsAt } = decodeHead(datum);
    return {
      identity: { hostId: head.host_id, agentEpoch: head.agent_epoch, batchSeq: head.batch_seq },
      rows: Math.abs(createAvroReader(datum, eventsAt).long()),
    };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return undefined;
  }
}
