/** Rows of an agent's spool, read by avsc with the published schema: no code of the agent's decodes them. */
import { openSegmentChain, type SegmentChain } from '@tcptrail/spool/segment-chain.ts';
import { BATCH_TYPE } from '../avsc-oracle.ts';
import { createExcuses, type Excuses, type Short } from './excuses.ts';

export type Value = number | string | boolean | readonly number[];
/** An event with the columns of its owner; 64-bit values fit a number here, times are µs. */
export type Row = Readonly<Record<string, Value>>;

export interface Rows {
  /** Keeps rows of that namespace from now on: another one may have had its inode before. µs. */
  watch(networkNamespace: number, sinceUs: number): void;
  /** Takes what the spool holds now. */
  poll(): void;
  of(networkNamespace: number): readonly Row[];
  /** Every row of the spool from its beginning, whatever its namespace. */
  all(): Generator<Row>;
  /** Runs of programs that the kernel skipped, as the last batch says: rows may be missing that no agent could tell. */
  readonly skippedRuns: number;
  /** Lines of those sums that no skipped run explains, as the last batch says; each explains what it can once. */
  unexcused(short: readonly Short[]): readonly string[];
  /** What the agent itself says that it missed, in its last batch: runs skipped by the kernel, rings too full. */
  confessions(): readonly string[];
  /** Programs that the kernel refused, as the agent's first word on its health says. */
  missingPrograms(): readonly string[];
  close(): void;
}

interface Batch {
  readonly owners: readonly Record<string, unknown>[];
  readonly events: readonly Record<string, unknown>[];
  readonly programs: readonly Record<string, unknown>[];
  readonly failed_reserves: readonly Record<string, unknown>[];
  readonly health: { readonly capabilities: readonly Capability[] } | null;
}

interface Capability {
  readonly program: string;
  readonly attached: boolean;
}

/** A number as Avro's long writes it: zigzag, seven bits a byte, the lowest first. */
function longBytes(value: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt(value) * 2n;
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

/** Inodes of namespaces are numbered from 0xf0000000: all end in the same bytes. */
const INODE_END = longBytes(0xf000_0000).subarray(-2);

/**
 * Whether the datum may hold a row of those namespaces: their bytes are somewhere in it.
 *
 * An agent records the whole machine; with much going on beside the suite, decoding all of it would hold the suite up.
 */
function mayHold(datum: Buffer, namespaces: ReadonlySet<string>): boolean {
  const length = longBytes(0xf000_0000).length;
  for (let at = datum.indexOf(INODE_END); at >= 0; at = datum.indexOf(INODE_END, at + 1)) {
    const end = at + INODE_END.length;
    if (end >= length && namespaces.has(datum.toString('latin1', end - length, end))) return true;
  }
  return false;
}

export function createRows(spool: string): Rows {
  const chain = openSegmentChain(spool, undefined);
  const rows = new Map<number, { readonly sinceUs: number; readonly rows: Row[] }>();
  let last: Buffer | undefined;
  let excuses: Excuses | undefined;
  let capabilities: readonly Capability[] | undefined;
  const patterns = new Set<string>();

  function take(datum: Uint8Array): void {
    const bytes = bufferOf(datum);
    last = bytes;
    if (capabilities && !mayHold(bytes, patterns)) return;
    const batch = BATCH_TYPE.fromBuffer(bytes) as Batch;
    capabilities ??= batch.health?.capabilities;
    for (const row of rowsOf(batch)) {
      const watched = rows.get(Number(row['network_namespace']));
      if (watched && Number(row['ts']) >= watched.sinceUs) watched.rows.push(row);
    }
  }

  const lastBatch = (): Batch | undefined => last && (BATCH_TYPE.fromBuffer(last) as Batch);

  return {
    watch(namespace, sinceUs) {
      rows.set(namespace, { sinceUs, rows: [] });
      patterns.add(longBytes(namespace).toString('latin1'));
    },
    poll() {
      for (const datum of datumsOf(chain)) take(datum);
    },
    of: (namespace) => rows.get(namespace)?.rows ?? [],
    *all() {
      const again = openSegmentChain(spool, undefined);
      for (const datum of datumsOf(again)) yield* rowsOf(BATCH_TYPE.fromBuffer(bufferOf(datum)) as Batch);
      again.close();
    },
    get skippedRuns() {
      return lastBatch()?.programs.reduce((sum, { skipped_runs }) => sum + Number(skipped_runs), 0) ?? 0;
    },
    unexcused(short) {
      excuses ??= createExcuses(
        new Map(
          lastBatch()?.programs.map(({ program, skipped_runs }) => [String(program), Number(skipped_runs)]),
        ),
      );
      return excuses.unexcused(short);
    },
    confessions() {
      const batch = lastBatch();
      if (!batch) return [];
      return [
        ...batch.programs.map(({ program, skipped_runs }) => [`skipped runs of ${program}`, skipped_runs]),
        ...batch.failed_reserves.map(({ ring, kind, count }) => [`no room in ${ring} for ${kind}`, count]),
      ]
        .filter(([, count]) => Number(count) > 0)
        .map(([what, count]) => `${what}: ${count}`);
    },
    missingPrograms: () =>
      (capabilities ?? []).filter(({ attached }) => !attached).map(({ program }) => program),
    close: chain.close,
  };
}

/** Throws when the spool is damaged. */
function* datumsOf(chain: SegmentChain): Generator<Uint8Array> {
  for (let read = chain.next(); read.kind !== 'nothing'; read = chain.next()) {
    if (read.kind === 'damage') throw new Error(`${read.segment}: ${read.why}`);
    yield read.datum;
  }
}

const bufferOf = (datum: Uint8Array): Buffer => Buffer.from(datum.buffer, datum.byteOffset, datum.length);

function* rowsOf({ owners, events }: Batch): Generator<Row> {
  const flatOwners = owners.map(flat);
  for (const event of events) yield { ...flatOwners[Number(event['owner'])], ...flat(event) };
}

function flat(record: Record<string, unknown>): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, simple(value)]));
}

function simple(value: unknown): Value {
  if (typeof value === 'bigint') return Number(value);
  if (Buffer.isBuffer(value)) return value.toString('hex');
  if (Array.isArray(value)) return value.map(Number);
  if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean') return value;
  return String(value);
}
