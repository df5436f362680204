/**
 * Avro single-object encoding: C3 01, the 8-byte little-endian CRC-64-AVRO fingerprint of the schema's parsing
 * canonical form, the datum (Avro specification, "Single-object encoding").
 */
import { AppError } from './app-error.ts';
import { CURRENT_FINGERPRINT } from './generated/fingerprints.ts';

/** Bytes before the datum. */
export const FRAME_BYTES = 10;

const header = Buffer.concat([Buffer.from([0xc3, 0x01]), Buffer.from(CURRENT_FINGERPRINT, 'hex')]);

export function frame(datum: Uint8Array): Buffer {
  return Buffer.concat([header, datum]);
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
