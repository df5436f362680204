/** What was set aside and where it is kept: messages on the dead-letter topic, or files of a spool. */

/** One that could not be stored, with why. */
export interface Letter {
  /** Names it to a person: `0-17`, partition and offset on the dead-letter topic, or a file of set-aside/. */
  readonly id: string;
  readonly origin: string;
  readonly originPartition: number;
  readonly originOffset: number;
  readonly reason: string;
  readonly detail: string;
  /** When the broker took the message, µs; absent where no broker's clock stamped it. */
  readonly brokerTs?: number;
  /** Key of the message: the id of the host whose agent sent it; absent in a spool. */
  readonly key?: string;
  /** µs since the epoch. */
  readonly parkedUs: number;
  /** What `value` is: a framed message, bytes of a segment that are no block, or somebody else's. */
  readonly form: 'message' | 'damage' | 'foreign';
  readonly value: Buffer | null;
}

export interface LetterBox {
  /** As a person names it. */
  readonly place: string;
  /** Every letter there is, oldest first; the same one may come twice. Throws KAFKA_*, CLI_SPOOL_UNREADABLE. */
  each(use: (letter: Letter) => void): Promise<void>;
  /** Whether the consumer has yet to pass it, and so will store it itself. */
  isBeforeConsumer(letter: Letter): boolean;
  /** Takes it away where that can be done; a topic drops it by its age. */
  remove(letter: Letter): void;
}

/** Where it came from, as one word. */
export const placeOf = (letter: Pick<Letter, 'origin' | 'originPartition' | 'originOffset'>): string =>
  `${letter.origin}/${letter.originPartition}/${letter.originOffset}`;
