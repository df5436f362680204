/** A batch too large for its topic in two: part p becomes 2p and 2p + 1, each with half of the events. */
import { decodeEnvelope, encodeBatch } from './batch.ts';
import { skipEvents } from './skip-events.ts';

/**
 * Undefined when there are no two events to part. Both halves carry the whole account, which is cumulative; only the
 * first carries the health. The same datum always gives the same halves.
 */
export function splitBatch(datum: Uint8Array): readonly [Uint8Array, Uint8Array] | undefined {
  const starts: number[] = [];
  const { envelope, events } = decodeEnvelope(datum, (bytes, offset) =>
    skipEvents(bytes, offset, (start) => starts.push(start)),
  );
  const half = starts.length >> 1;
  const [from, middle] = [starts[0], starts[half]];
  if (from === undefined || middle === undefined || half === 0) return undefined;
  const { batch_part: part } = envelope;
  // The array's closing zero is one byte.
  const to = events.end - 1;
  return [
    encodeBatch({ ...envelope, batch_part: 2 * part }, { bytes: datum.subarray(from, middle), count: half }),
    encodeBatch(
      { ...envelope, batch_part: 2 * part + 1, health: null },
      { bytes: datum.subarray(middle, to), count: starts.length - half },
    ),
  ];
}

/** Parts that hold all rows of `part`: itself and what it was split from. */
export function partsAbove(part: number): readonly number[] {
  const parts = [part];
  for (let above = part >>> 1; above >= 1; above >>>= 1) parts.push(above);
  return parts;
}
