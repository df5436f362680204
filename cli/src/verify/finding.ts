/** What `tcptrail verify` finds. */

export type Kind = 'gap' | 'overlap' | 'rewind' | 'rows' | 'parked' | 'dropped' | 'waiting';

export interface Finding {
  readonly kind: Kind;
  /** Topic with its cluster, or the spool; '' where only the run is known. */
  readonly origin: string;
  readonly partition: number | null;
  /** Offsets of the origin, or numbers of batches where there is no partition; both included. */
  readonly first: number;
  readonly last: number;
  /** '' where it is not known. */
  readonly host: string;
  /** Start of the agent's run, µs; 0 where it is not known. */
  readonly run: number;
  readonly what: string;
}

/** dropped was counted by the agent, waiting will come: neither is wrong. */
export const isProblem = ({ kind }: Pick<Finding, 'kind'>): boolean =>
  kind !== 'dropped' && kind !== 'waiting';

/** The same finding, looked for twice. */
export const keyOf = ({ what, ...rest }: Finding): string => JSON.stringify(rest);

/** Which batches are looked at. */
export interface Scope {
  /** µs. */
  readonly sinceUs: number;
  /** Ids or names; none: all. */
  readonly hosts: readonly string[];
  /** Name of a topic; '' = all origins. */
  readonly topic: string;
}

export const LISTED_MAX = 1_000;
