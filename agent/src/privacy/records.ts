/**
 * Ring records without what is to stay on this host, for whatever comes after.
 *
 * The ring is read-only memory: a record is copied and the copy rewritten, always the same one. With nothing to hide
 * records pass as they are.
 */
import { RING, RING_EVENT_BYTES } from '@tcptrail/schemas/generated/ring.ts';
import type { Addresses } from './addresses.ts';
import type { Users } from './users.ts';

/** Takes the record at byte `at` of two views of one memory; valid until it returns. */
export type TakeRecord = (words: Uint32Array, bytes: Uint8Array, at: number) => void;

/** undefined = kept. */
export interface Masks {
  readonly addresses: Addresses | undefined;
  readonly users: Users | undefined;
}

export interface PrivateRecords {
  /** Gives the record, or what is left of it, to `next`. */
  pass(words: Uint32Array, bytes: Uint8Array, at: number, next: TakeRecord): void;
  /** Otherwise records pass as they are, and need not. */
  readonly hides: boolean;
  /** From the next record on. */
  configure(masks: Masks): void;
}

const WORDS = RING_EVENT_BYTES >>> 2;
const ADDRESSES = [RING.local_address >>> 2, RING.peer_address >>> 2] as const;
const USERS = [RING.uid >>> 2, RING.socket_uid >>> 2] as const;

export function createPrivateRecords(first: Masks): PrivateRecords {
  const copy = new Uint32Array(WORDS);
  const copyBytes = new Uint8Array(copy.buffer);
  let { addresses, users } = first;

  return {
    pass(words, bytes, at, next) {
      if (!addresses && !users) {
        next(words, bytes, at);
        return;
      }
      const base = at >>> 2;
      for (let index = 0; index < WORDS; index++) copy[index] = words[base + index] as number;
      if (addresses) for (const word of ADDRESSES) addresses.mask(copy, copyBytes, word);
      if (users) for (const word of USERS) copy[word] = users.mask(copy[word] as number);
      next(copy, copyBytes, 0);
    },
    get hides() {
      return addresses !== undefined || users !== undefined;
    },
    configure(masks) {
      ({ addresses, users } = masks);
    },
  };
}
