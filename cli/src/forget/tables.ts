/** Every table that holds rows of somebody, in the order they are forgotten in: one row here adds one. */
import { condition, literal, type Subject } from '@tcptrail/consumer/keep/subject.ts';

export interface ForgettableTable {
  readonly name: string;
  /** Expression: the day that a row counts under. */
  readonly day: string;
  /** Columns of forgotten_rows that stay of a row, so that it is counted and not stored again; absent: nothing does. */
  readonly trace?: Trace;
  /** Where the columns alone do not tell whose a row is. */
  readonly where?: (subject: Subject, database: string) => string | undefined;
}

export interface Trace {
  readonly hostHash: string;
  readonly kernelEpoch: string;
  readonly batchPart: string;
  readonly cpu: string;
  readonly seq: string;
}

const HOST_HASH = 'sipHash64(toString(host_id), toString(boot_id))';
const EVENT: Trace = {
  hostHash: HOST_HASH,
  kernelEpoch: 'kernel_epoch',
  batchPart: 'batch_part',
  cpu: 'cpu',
  seq: 'seq',
};
const BATCH: Trace = { ...EVENT, cpu: 'toUInt16(0)', seq: 'toUInt64(0)' };
const PARKED: Trace = {
  ...BATCH,
  hostHash: "sipHash64(toString(host_id), '')",
  kernelEpoch: "toDateTime64(0, 6, 'UTC')",
  batchPart: 'toUInt32(0)',
};

export const TABLES: readonly ForgettableTable[] = [
  { name: 'tcp_events', day: 'day', trace: EVENT },
  { name: 'tcp_batches', day: 'day', trace: BATCH },
  { name: 'held_events', day: 'day' },
  { name: 'tier_5m', day: 'day' },
  { name: 'tier_1h', day: 'day' },
  { name: 'tier_edges', day: 'day' },
  {
    name: 'tcp_parked_outcomes',
    day: 'toDate(decided_ts)',
    where: (subject, database) => {
      const parked = parkedOf(subject);
      return parked === undefined
        ? undefined
        : `(origin, origin_partition, origin_offset) IN (SELECT origin, origin_partition, origin_offset FROM ${database}.tcp_parked WHERE ${parked})`;
    },
  },
  { name: 'tcp_parked', day: 'toDate(parked_ts)', trace: PARKED, where: parkedOf },
];

/** The host of what could not be read is told by its spool alone. */
function parkedOf(subject: Subject): string | undefined {
  if (subject.kind === 'all') return 'true';
  const byColumn = condition(subject, new Set(['host_id']));
  if (subject.kind !== 'host' || byColumn === undefined) return undefined;
  const ids = [subject.value, ...(subject.hostIds ?? [])];
  return `(${[byColumn, ...ids.map((id) => `startsWith(origin, ${literal(`spool:${id}:`)})`)].join(' OR ')})`;
}
