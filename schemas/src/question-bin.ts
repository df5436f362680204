/** How far the answer to a question reaches beyond the window that it is asked for: its SELECT says it. */

export interface Bin {
  /** The view whose sums it reads. */
  readonly view: string;
  /** `an hour`. */
  readonly length: string;
  readonly seconds: number;
  /** The last bin is left out where the window ends within it; else it is read whole. The first is always read whole. */
  readonly isEndCut: boolean;
}

/** Views that hold sums, the longest bin first. */
const VIEWS: readonly Omit<Bin, 'isEndCut'>[] = [
  { view: 'edges', length: 'a day', seconds: 86_400 },
  { view: 'connections_1h', length: 'an hour', seconds: 3_600 },
  { view: 'connections_5m', length: 'five minutes', seconds: 300 },
];

/** Undefined where times of rows are compared with the begin of the window: it is read as it is asked for. */
export function binOf(sql: string): Bin | undefined {
  if (/>= \{since:/.test(sql)) return undefined;
  const found = VIEWS.find(({ view }) => new RegExp(`\\bFROM ${view}\\b`).test(sql));
  return found && { ...found, isEndCut: /\bbin < toStartOf\w+\(\{until:/.test(sql) };
}
