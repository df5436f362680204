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
  readonly identity: Identity;
}

export interface Parked extends Place {
  readonly originOffset: number;
  readonly identity: Identity;
  readonly reason: string;
  readonly detail: string;
}

export interface StoreRange extends Place {
  readonly messages: readonly StoreMessage[];
  readonly parked: readonly Parked[];
}

export interface StoreDecoded {
  readonly batches: readonly {
    readonly offset: number;
    readonly envelope: { readonly batch_ts: number };
    readonly events: DayRows;
    readonly batchDay: number;
  }[];
  readonly refused: readonly { readonly offset: number; readonly error: AppError }[];
  events(offsets: ReadonlySet<number>, day: number): Uint8Array | undefined;
  batchLines(offsets: ReadonlySet<number>, day: number): Uint8Array;
}

export interface StoreDecoder {
  decode(place: Place, messages: readonly StoreMessage[]): StoreDecoded;
}
