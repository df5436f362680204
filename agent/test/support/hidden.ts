/** Whether something is anywhere in a spool. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { batchesOf } from '../../src/spool/segment-reader.ts';

/** The bytes of every batch, and of every file as it lies there. */
export function bytesOfSpool(path: string): { readonly batches: Buffer[]; readonly files: Buffer[] } {
  const entries = readdirSync(path, { withFileTypes: true, recursive: true }).filter((entry) =>
    entry.isFile(),
  );
  const segments = readdirSync(path).filter((name) => name.endsWith('.avro'));
  return {
    batches: segments.flatMap((name) =>
      [...batchesOf(join(path, name))].map(({ datum }) => Buffer.from(datum)),
    ),
    files: entries.map((entry) => readFileSync(join(entry.parentPath, entry.name))),
  };
}

/** A number as Avro writes it. */
export function zigzag(value: number): Buffer {
  const bytes: number[] = [];
  let left = BigInt(value) * 2n;
  for (; left > 127n; left >>= 7n) bytes.push(Number(left & 127n) | 128);
  return Buffer.from([...bytes, Number(left)]);
}
