/** CRC-64-AVRO (Rabin fingerprint) of the Avro specification, "Schema Fingerprints". */
const EMPTY = 0xc15d213aa4d7a795n;

const TABLE = Array.from({ length: 256 }, (_, index) => {
  let value = BigInt(index);
  for (let bit = 0; bit < 8; bit++) value = (value >> 1n) ^ ((value & 1n) * EMPTY);
  return value;
});

/** Fingerprint of `bytes` as 16 hexadecimal digits, little end first (the order of single-object encoding). */
export function crc64Avro(bytes: Uint8Array): string {
  let value = EMPTY;
  for (const byte of bytes) value = (value >> 8n) ^ (TABLE[Number((value ^ BigInt(byte)) & 0xffn)] ?? 0n);
  const out = Buffer.alloc(8);
  out.writeBigUInt64LE(value);
  return out.toString('hex');
}
