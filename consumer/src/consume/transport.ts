/**
 * The port between a transport and what stores its batches.
 *
 * A transport pushes bounded ranges of consecutive messages of one (origin, partition) to the handler, one at a
 * time a partition. When the handler resolves, every message of the range is stored and checked, or parked;
 * only then does the transport commit its position. Back-pressure is that nothing is read meanwhile.
 */

/** Which batch a message is, as far as it could be read. `agentEpoch` in µs. */
export interface BatchIdentity {
  readonly hostId: string;
  readonly agentEpoch: number;
  readonly batchSeq: number;
}

/** One batch: an Avro datum without framing. */
export interface Message {
  readonly offset: number;
  readonly datum: Uint8Array;
  /** When the broker took it, µs; absent where no clock but the host's stamped it. */
  readonly brokerTs?: number;
  readonly identity: BatchIdentity;
}

/** A batch that is kept aside, none of its rows stored. */
export interface ParkedBatch {
  readonly origin: string;
  readonly originPartition: number;
  readonly originOffset: number;
  readonly identity: BatchIdentity;
  readonly reason: string;
  readonly detail: string;
}

/** The right to store a range; see `lease.ts`. */
export interface Lease {
  /** Aborted when the right is lost. */
  readonly signal: AbortSignal;
  /** Throws CONSUMER_PARTITION_LOST. Asked just before each INSERT. */
  assertHeld(): void;
}

/** Where the owner of a partition, and nobody else, notes what it is about to store. */
export interface Fence {
  /** Whatever an earlier owner may have begun is known. */
  readonly isKnown: boolean;
  /** Begun earlier and not finished: the range is what was noted then. */
  readonly begun?: string;
  /** Of all messages between the ends of the range as they came: another version of the program may read others. */
  digest(): string;
  /** Rejects with CONSUMER_PARTITION_LOST, and with the client's error when the group refuses it. */
  note(plan: string): Promise<void>;
}

/** When enough is in hand. */
export interface Fill {
  readonly isEmpty: boolean;
  isFullFor(item: { readonly rows: number; readonly bytes: number }): boolean;
  add(item: { readonly rows: number; readonly bytes: number }, nowMs: number): void;
  waitMs(nowMs: number): number;
  clear(): void;
}

/** How long a partition is left alone after so much of it was stored; what comes meanwhile stays where it is. */
export interface Pace {
  restMs(stored: { readonly bytes: number }, nowMs: number): number;
}

export interface MessageRange {
  readonly origin: string;
  readonly originPartition: number;
  /** By rising offset; may be empty when only `parked` is to be recorded. */
  readonly messages: readonly Message[];
  /** Batches the transport itself could not read; to be recorded with the range. */
  readonly parked: readonly ParkedBatch[];
  /** Absent where nobody else can store the origin: one reader a spool. */
  readonly lease?: Lease;
  /** The first of the partition since it was assigned: another consumer may have stored of it meanwhile. */
  readonly isFirst?: boolean;
  /** Absent where nothing can be noted. */
  readonly fence?: Fence;
}

/**
 * Resolves with the messages it parked. With a fence it rejects with STORE_ROWS_REFUSED or STORE_RANGE_TOO_LARGE
 * where halves of the range may do. Rejects else only for good: the transport then stops this partition and commits
 * nothing.
 */
export type RangeHandler = (range: MessageRange) => Promise<readonly ParkedBatch[]>;

export interface Transport {
  /** Begins to push. Rejects when the transport cannot be used at all. */
  start(handler: RangeHandler): Promise<void>;
  /** Waits for the range in hand; what is not committed comes again. */
  stop(): Promise<void>;
  /** Resolves when the transport ended: stopped, or drained when asked to drain. Rejects as the handler did. */
  readonly done: Promise<void>;
}
