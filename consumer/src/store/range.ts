/** What the store takes in and gives back; the transports' and the decoder's shapes as it needs them. */
import type { AppError } from '@tcptrail/schemas/app-error.ts';
import type { DayRows, Place } from './ledger.ts';

export interface Identity {
  readonly hostId: string;
  readonly agentEpoch: number;
  readonly batchSeq: number;
}

export interface StoreMessage {
  readonly offset: number;
  readonly datum: Uint8Array;
  /** When the broker took it, µs. */
  readonly brokerTs?: number;
  readonly identity: Identity;
}

export interface Parked extends Place {
  readonly originOffset: number;
  readonly identity: Identity;
  readonly reason: string;
  readonly detail: string;
}

/** Where the owner of the place, and nobody else, notes its intent. */
export interface Fence {
  /** Whatever an earlier owner may have begun is known. */
  readonly isKnown: boolean;
  /** Begun earlier and not finished; the range is the same. */
  readonly begun?: string;
  /** Of all that came between the ends of the range, whether it can be read or not. */
  digest(): string;
  /** Rejects when the place is another's. */
  note(intent: string): Promise<void>;
}

export interface StoreRange extends Place {
  readonly messages: readonly StoreMessage[];
  readonly parked: readonly Parked[];
  /** The right to store it; absent where it cannot be lost. */
  readonly lease?: { readonly signal: AbortSignal; assertHeld(): void };
  /** What is known of the place may be old. */
  readonly isFirst?: boolean;
  /** Absent where nothing can be noted; the ledger alone decides there. */
  readonly fence?: Fence;
}

/** Which batch a message holds, or which part of one. */
export interface Batch {
  readonly host_id: string;
  readonly boot_id: string;
  /** µs. */
  readonly agent_epoch: number;
  readonly batch_seq: number;
  readonly batch_part: number;
}

export interface StoreDecoded {
  readonly batches: readonly {
    readonly offset: number;
    readonly envelope: Batch & { readonly batch_ts: number; readonly maybe_duplicate: boolean };
    readonly events: DayRows;
    /** The time it is filed by, µs. */
    readonly filedTs: number;
    readonly batchDay: number;
  }[];
  readonly refused: readonly { readonly offset: number; readonly error: AppError }[];
  /** Its bytes are those of the next call: an INSERT must be over before. */
  events(offsets: ReadonlySet<number>, day: number): Uint8Array | undefined;
  batchLines(offsets: ReadonlySet<number>, day: number): Uint8Array;
}

export interface StoreDecoder {
  decode(place: Place, messages: readonly StoreMessage[]): StoreDecoded;
}
