/**
 * How much may be fetched at once, compressed; decoded it takes 4.5 to 8.5 times as much memory. kafkajs asks every
 * broker by itself, so each gets a share of what all may send.
 */
const MIB = 1024 * 1024;
const PARTITION_MAX = 6 * MIB;
const ALL_MAX = 24 * MIB;

/** For one broker of so many. A message that is larger comes all the same, alone. */
export function fetchBytesOf(brokers: number): {
  readonly maxBytes: number;
  readonly maxBytesPerPartition: number;
} {
  const maxBytes = Math.floor(ALL_MAX / Math.max(1, brokers));
  return { maxBytes, maxBytesPerPartition: Math.min(PARTITION_MAX, maxBytes) };
}
