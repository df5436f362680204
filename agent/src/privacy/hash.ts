/** Keyed hashes: one key gives one value for one input, on every host; without the key nothing leads back. */
import { createHmac } from 'node:crypto';

export interface Hashes {
  /** 64 bits of an address; never 0, which stands for one that was dropped. */
  address(bytes: Uint8Array): readonly [high: number, low: number];
  /** A number from 2^31 on, where no system gives out users. */
  user(uid: number): number;
  /** 8 hexadecimal digits for the name of a user. */
  name(name: string): string;
}

export function createHashes(key: string): Hashes {
  // What it is of stands before it: equal inputs of two kinds give nothing away.
  const digest = (kind: string, input: Uint8Array | string): Buffer =>
    createHmac('sha256', key).update(`${kind}\0`).update(input).digest();
  return {
    address(bytes) {
      const hash = digest('address', bytes);
      const [high, low] = [hash.readUInt32BE(0), hash.readUInt32BE(4)];
      return high === 0 && low === 0 ? [0, 1] : [high, low];
    },
    user: (uid) => (digest('user', String(uid)).readUInt32BE(0) | 0x8000_0000) >>> 0,
    name: (name) => digest('name', name).toString('hex', 0, 4),
  };
}
