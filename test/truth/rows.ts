/** Rows of an agent's spool, read by avsc with the published schema: no code of the agent's decodes them. */
import { openSegmentChain } from '@tcptrail/spool/segment-chain.ts';
import { BATCH_TYPE } from '../avsc-oracle.ts';

export type Value = number | string | boolean | readonly number[];
/** An event with the columns of its owner; 64-bit values fit a number here, times are µs. */
export type Row = Readonly<Record<string, Value>>;

export interface BatchAccount {
  readonly cpu: number;
  readonly seq_last: number;
  readonly rows: number;
  readonly failed: number;
}

export interface Rows {
  /** Keeps rows of that namespace from now on: another one may have had its inode before. µs. */
  watch(networkNamespace: number, sinceUs: number): void;
  /** Takes what the spool holds now. */
  poll(): void;
  of(networkNamespace: number): readonly Row[];
  /** The account of the newest batch. */
  readonly accounts: readonly BatchAccount[];
  close(): void;
}

interface Batch {
  readonly owners: readonly Record<string, unknown>[];
  readonly events: readonly Record<string, unknown>[];
  readonly cpus: readonly Record<string, unknown>[];
}

export function createRows(spool: string): Rows {
  const chain = openSegmentChain(spool, undefined);
  const rows = new Map<number, { readonly sinceUs: number; readonly rows: Row[] }>();
  let accounts: readonly BatchAccount[] = [];

  function take(datum: Uint8Array): void {
    const batch = BATCH_TYPE.fromBuffer(Buffer.from(datum)) as Batch;
    accounts = batch.cpus.map((cpu) => flat(cpu) as unknown as BatchAccount);
    for (const event of batch.events) {
      const watched = rows.get(Number(event['network_namespace']));
      if (!watched || Number(event['ts']) < watched.sinceUs) continue;
      watched.rows.push({ ...flat(batch.owners[Number(event['owner'])] ?? {}), ...flat(event) });
    }
  }

  return {
    watch: (namespace, sinceUs) => rows.set(namespace, { sinceUs, rows: [] }),
    poll() {
      for (;;) {
        const read = chain.next();
        if (read.kind === 'nothing') return;
        if (read.kind === 'damage') throw new Error(`${read.segment}: ${read.why}`);
        take(read.datum);
      }
    },
    of: (namespace) => rows.get(namespace)?.rows ?? [],
    get accounts() {
      return accounts;
    },
    close: chain.close,
  };
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
