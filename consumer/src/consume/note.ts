/**
 * What the owner of a partition is about to store, noted as metadata of the offset it committed.
 *
 * `tcptrail 1` says that nothing is begun, `tcptrail 1 <end> <plan>` that the messages from the committed offset up to
 * `end` are; the plan is the store's. Anything else is not ours: an offset reset by hand, or none at all.
 */
const MARK = 'tcptrail 1';

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
  /** Offset that the group had before it lost its position. */
  readonly before?: number;
}

export function noteOf(begun?: Begun): string {
  return begun ? `${MARK} ${begun.end} ${begun.plan}` : MARK;
}

export function positionOf(committed: {
  readonly offset: string;
  readonly metadata: string | null;
}): Position {
  const offset = Number(committed.offset);
  const note = committed.metadata ?? '';
  if (offset < 0) return { offset, isKnown: false };
  if (note === MARK) return { offset, isKnown: true };
  const [, end, plan] = /^tcptrail 1 (\d+) (.*)$/s.exec(note) ?? [];
  if (end === undefined || plan === undefined) return { offset, isKnown: false };
  return { offset, isKnown: true, begun: { end: Number(end), plan } };
}
