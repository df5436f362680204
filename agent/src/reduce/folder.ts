/**
 * Short, ordinary, repeated connections of one key (program, role, peer, service port), folded into one row of the
 * open batch. The first of a key ever seen, and the only one of a batch, stay rows of their own.
 */
import { EVENT_BYTES_MAX } from '@tcptrail/schemas/generated/encode-event.ts';
import { createGroups, type GroupOwner } from './groups.ts';
import { keyOf } from './key.ts';
import { cpuOf, seqOf } from './number-of.ts';
import { createOrdinary, type OrdinaryConfig } from './ordinary.ts';
import { createSeenKeys } from './seen-keys.ts';

export interface FolderConfig extends OrdinaryConfig {
  readonly rowsMax: number;
  readonly bytesMax: number;
}

/** What folding takes from `enrich` of an owner. */
export interface FoldedOwner extends GroupOwner {
  readonly own: boolean;
  readonly bytes: number;
}

/** What a held row says beside its record. */
export interface HeldFields {
  readonly owner: number;
  readonly own: boolean;
  readonly connections: number;
  readonly folded: number;
  readonly rttHistogram: readonly number[];
}

export interface FolderDeps<Owner extends FoldedOwner> {
  readonly owners: {
    find(words: Uint32Array, bytes: Uint8Array, at: number): Owner;
    include(found: Owner, options: { readonly alone: boolean }): number;
  };
  readonly appendHeld: (words: Uint32Array, bytes: Uint8Array, at: number, fields: HeldFields) => void;
  readonly account: { row(cpu: number, seq: number): void; fold(cpu: number, seq: number): void };
}

export interface Folder {
  /** What becomes of the valid record at byte `at`: folded, held until the batch is closed, or a row of its own. */
  take(words: Uint32Array, bytes: Uint8Array, at: number): 'folded' | 'held' | 'row';
  /** Rows held, and the bytes they may need. */
  readonly rows: number;
  readonly bytes: number;
  /** Appends the held rows to the batch. */
  close(): void;
}

/** A power of two. */
const SEEN_KEYS = 32_768;

export function createFolder<Owner extends FoldedOwner>(
  config: FolderConfig,
  deps: FolderDeps<Owner>,
): Folder {
  const { owners, account } = deps;
  const ordinary = createOrdinary(config);
  const seen = createSeenKeys(SEEN_KEYS);
  const groups = createGroups<Owner>(
    Math.max(1, Math.min(config.rowsMax, Math.floor(config.bytesMax / EVENT_BYTES_MAX))),
  );
  let heldBytes = 0;

  return {
    take(words, bytes, at) {
      if (!ordinary.is(words, bytes, at)) return 'row';
      const owner = owners.find(words, bytes, at);
      const key = keyOf(words, bytes, at, owner.program);
      const group = groups.find(words, bytes, at, key, owner.program);
      if (group < 0 && (!seen.see(key) || groups.isFull)) return 'row';
      account.row(cpuOf(bytes, at), seqOf(words, at));
      if (group < 0) {
        groups.open(words, bytes, at, key, owner);
        heldBytes += EVENT_BYTES_MAX + owner.bytes;
        return 'held';
      }
      account.fold(groups.cpuOf(group), groups.seqOf(group));
      groups.join(group, words, at, owner);
      return 'folded';
    },
    get rows() {
      return groups.count;
    },
    get bytes() {
      return heldBytes;
    },
    close() {
      for (const { words, bytes, at, connections, rttHistogram, owner, alone } of groups.rows()) {
        deps.appendHeld(words, bytes, at, {
          owner: owners.include(owner, { alone }),
          own: owner.own,
          connections,
          folded: connections - 1,
          rttHistogram,
        });
      }
      groups.clear();
      heldBytes = 0;
    },
  };
}
