/** How old what waits in the spool is: marks of when each spooled batch was closed. Bounded. */
import { comparePlaces, type Place } from '@tcptrail/spool/cursor.ts';

interface Mark {
  /** End of the batch. */
  readonly at: Place;
  /** µs since the epoch. */
  readonly ts: number;
}

export interface Lag {
  spooled(mark: Mark): void;
  /** Age of the oldest batch beyond `from`, µs. */
  us(from: Place, nowUs: number): number;
}

const MARKS_MAX = 4_096;

export function createLag(): Lag {
  let marks: Mark[] = [];
  return {
    spooled(mark) {
      marks.push(mark);
      // Half the marks tell nearly as much.
      if (marks.length > MARKS_MAX) marks = marks.filter((_, index) => index % 2 === 0);
    },
    us(from, nowUs) {
      marks = marks.filter((mark) => comparePlaces(mark.at, from) > 0);
      const oldest = marks[0];
      return oldest ? Math.max(0, nowUs - oldest.ts) : 0;
    },
  };
}
