/**
 * What the owner of a partition is about to store, noted as metadata of the offset it committed.
 *
 * `tcptrail 2 <topic id>` says that nothing is begun, `tcptrail 2 <topic id> <end> <plan>` that the messages from the
 * committed offset up to `end` are; the plan is the store's. Where brokers give topics no ids the cluster's stands for
 * it. Anything else is not ours: an offset reset by hand, or none at all.
 */
const MARK = 'tcptrail 2';

export interface Begun {
  /** Offset behind the last message. */
  readonly end: number;
  readonly plan: string;
}

export interface Position {
  /** Negative when the group has none. */
  readonly offset: number;
  /** Whatever was begun since is known: the note is ours. */
  readonly isKnown: boolean;
  readonly begun?: Begun;
  /** Offset that the group had in this topic before it lost its position. */
  readonly before?: number;
  /** It is of a topic of that name that was deleted: of this one nothing is read yet. */
  readonly isFormer?: true;
}

export function noteOf(topicId: string, begun?: Begun): string {
  return begun ? `${MARK} ${topicId} ${begun.end} ${begun.plan}` : `${MARK} ${topicId}`;
}

/** Whether an offset with that note is of the topic: a note of another one says that it is not. */
export const isOfTopic =
  (topicId: string) =>
  (note: string | null): boolean =>
    !positionOf({ offset: '0', metadata: note }, topicId).isFormer;

export function positionOf(
  committed: { readonly offset: string; readonly metadata: string | null },
  topicId: string,
): Position {
  const offset = Number(committed.offset);
  const [, id, end, plan] = /^tcptrail 2 (\S+)(?: (\d+) (.*))?$/s.exec(committed.metadata ?? '') ?? [];
  if (offset < 0 || id === undefined) return { offset, isKnown: false };
  if (id !== topicId) return { offset: -1, isKnown: true, isFormer: true };
  if (end === undefined || plan === undefined) return { offset, isKnown: true };
  return { offset, isKnown: true, begun: { end: Number(end), plan } };
}
