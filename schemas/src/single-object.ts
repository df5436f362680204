/**
 * Avro single-object encoding: C3 01, the 8-byte little-endian CRC-64-AVRO fingerprint of the schema's parsing
 * canonical form, the datum (Avro specification, "Single-object encoding").
 */
import { AppError } from './app-error.ts';
import { fingerprintOf } from './fingerprint.ts';
import { CURRENT_FINGERPRINT } from './generated/fingerprints.ts';

/** Bytes before the datum. */
export const FRAME_BYTES = 10;

const MARK = Buffer.from([0xc3, 0x01]);

/** A datum of the newest schema. */
export function frame(datum: Uint8Array): Buffer {
  return frameAs(CURRENT_FINGERPRINT, datum);
}

/** `fingerprint`: of the datum's schema, as 16 hexadecimal digits in wire order. */
export function frameAs(fingerprint: string, datum: Uint8Array): Buffer {
  return Buffer.concat([MARK, Buffer.from(fingerprint, 'hex'), datum]);
}

/** `datum` is a view into `bytes`. Throws FRAME_UNKNOWN when the bytes are no single-object encoding. */
export function unframe(bytes: Uint8Array): { fingerprint: string; datum: Uint8Array } {
  if (bytes.length < FRAME_BYTES || bytes[0] !== 0xc3 || bytes[1] !== 0x01) {
    throw new AppError(
      'FRAME_UNKNOWN',
      'message does not start with C3 01; it is not an Avro single-object encoding',
    );
  }
  return {
    fingerprint: Buffer.from(bytes.subarray(2, FRAME_BYTES)).toString('hex'),
    datum: bytes.subarray(FRAME_BYTES),
  };
}

const fingerprints = new Map([['', CURRENT_FINGERPRINT]]);

/** Of a schema as the header of a segment has it; one that is damaged is taken for the newest. */
export function fingerprintIn(schema: string): string {
  const known = fingerprints.get(schema);
  if (known !== undefined) return known;
  let found = CURRENT_FINGERPRINT;
  try {
    found = fingerprintOf(JSON.parse(schema));
  } catch {
    // No schema at all.
  }
  fingerprints.set(schema, found);
  return found;
}
