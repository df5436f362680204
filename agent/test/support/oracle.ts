/** Spooled segments as an independent Avro implementation reads them. */
import { createReadStream, readFileSync } from 'node:fs';
import { zstdDecompress } from 'node:zlib';
import { NEWEST, schemaUrl } from '@tcptrail/schemas/versions.ts';
import avsc from 'avsc';

export interface OracleBatch {
  readonly batch_seq: number;
  readonly agent_epoch: number;
  readonly kernel_epoch: number;
  readonly owners: readonly Record<string, unknown>[];
  readonly events: readonly Record<string, unknown>[];
  readonly cpus: readonly Record<string, number>[];
  readonly health: Record<string, unknown> | null;
  readonly [field: string]: unknown;
}

export const SCHEMA = readFileSync(schemaUrl(NEWEST), 'utf8');

/** Every batch of a whole segment file; rejects when avsc cannot read it to its end. */
export function readSegment(file: string): Promise<OracleBatch[]> {
  return new Promise((resolve, reject) => {
    const batches: OracleBatch[] = [];
    const decoder = new avsc.streams.BlockDecoder({
      codecs: {
        zstandard: (data: Buffer, done: (error: Error | null, raw?: Buffer) => void) =>
          zstdDecompress(data, done),
      },
    });
    decoder.on('data', (batch: OracleBatch) => batches.push(batch));
    decoder.on('end', () => resolve(batches));
    decoder.on('error', reject);
    createReadStream(file).on('error', reject).pipe(decoder);
  });
}

const type = avsc.Type.forSchema(JSON.parse(SCHEMA));

export function readDatum(datum: Uint8Array): OracleBatch {
  return type.fromBuffer(Buffer.from(datum)) as OracleBatch;
}
