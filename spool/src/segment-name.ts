/**
 * Segment file names: `<agent_epoch>-<number>.avro`, 16 and 8 digits, so that the order of the names is the order
 * of writing.
 */

export interface SegmentName {
  /** µs since the epoch. */
  readonly agentEpoch: number;
  readonly number: number;
}

export function formatSegmentName({ agentEpoch, number }: SegmentName): string {
  return `${String(agentEpoch).padStart(16, '0')}-${String(number).padStart(8, '0')}.avro`;
}

/** `undefined` for a file that is no segment. */
export function parseSegmentName(file: string): SegmentName | undefined {
  const [, epoch, number] = /^(\d{16})-(\d{8})\.avro$/.exec(file) ?? [];
  if (epoch === undefined || number === undefined) return undefined;
  return { agentEpoch: Number(epoch), number: Number(number) };
}
