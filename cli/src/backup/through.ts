/** Streams of a backup on their way through zstd. */
import { type Duplex, pipeline, type Readable } from 'node:stream';

/**
 * What `source` gives, through `transform`. It ends with the error of either; whoever reads may end early.
 *
 * `source.compose(transform)` raises an AbortError that nobody can take when it is destroyed before `transform` closed.
 */
export function through(source: Readable, transform: Duplex): Readable {
  // Errors reach the reader of `transform`; one that ended early wants none.
  pipeline(source, transform, () => {});
  return transform;
}
