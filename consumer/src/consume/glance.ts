/** Which batch a datum is, read without touching its events. */
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { createAvroReader } from '@tcptrail/schemas/avro-reader.ts';
import { type BatchEnvelope, decodeEnvelope } from '@tcptrail/schemas/batch.ts';
import type { BatchIdentity } from './transport.ts';

export interface Glance {
  readonly identity: BatchIdentity;
  /** Events of the first block; an agent writes one block. */
  readonly rows: number;
}

class Seen extends Error {}

/** Undefined when even the head of the datum does not decode. */
export function glance(datum: Uint8Array): Glance | undefined {
  let found: Glance | undefined;
  try {
    decodeEnvelope(datum, (bytes, offset, before: BatchEnvelope) => {
      found = {
        identity: { hostId: before.host_id, agentEpoch: before.agent_epoch, batchSeq: before.batch_seq },
        rows: Math.abs(createAvroReader(bytes, offset).long()),
      };
      throw new Seen();
    });
  } catch (error) {
    if (!(error instanceof Seen) && !(error instanceof AppError)) throw error;
  }
  return found;
}
