/** The ways from ring records to batches that are compared; around the events, all do the same with the same code. */
import { type Account, createAccount } from '@tcptrail/agent/encode/account.ts';
import { type BatchBuilder, createBatchBuilder } from '@tcptrail/agent/encode/batch-builder.ts';
import { createBatcher } from '@tcptrail/agent/encode/batcher.ts';
import { createOwners, type Owners } from '@tcptrail/agent/enrich/owners.ts';
import type { ProcessFacts, ProcessKey } from '@tcptrail/agent/enrich/process.ts';
import { readResetReasons } from '@tcptrail/agent/enrich/reset-reasons.ts';
import { createPrivateRecords } from '@tcptrail/agent/privacy/records.ts';
import { createReducer } from '@tcptrail/agent/reduce/reducer.ts';
import { possibleCpus } from '@tcptrail/agent/trace/cpus.ts';
import type { RingBuffer } from '@tcptrail/agent/trace/ring-buffer.ts';
import { EVENT_BYTES_MAX } from '@tcptrail/schemas/generated/encode-event.ts';
import { EVENT_TYPE } from './event-type.ts';
import { nameOf, type RealRecords } from './real-records.ts';
import { createRecordReader } from './record-reader.ts';

/** As the agent is configured by default. */
const BATCH = { rowsMax: 2_000, bytesMax: 900_000 };
const REDUCE = { flushMs: 500, windowMs: 10_000, openHoldMs: 1_000, sinceNs: 0n };
const IDENTITY = {
  host_name: 'web-1.example.org',
  host_id: '0123456789abcdef0123456789abcdef',
  boot_id: '11111111-2222-3333-4444-555555555555',
  agent_version: '0.1.0',
  kernel_release: '6.18.0',
  labels: { environment: 'production' },
};

export interface Path {
  /** Everything of the ring into batches, the last one closed too. */
  run(ring: RingBuffer): void;
}

type OnBatch = (datum: Uint8Array) => void;
/** The records' own enrich stage; each path has one of its own. */
interface Enrich {
  readonly owners: Owners;
  readonly clockOffsetUs: number;
  readonly resetReason: (code: number) => string;
}

type Builder = Pick<BatchBuilder, 'append' | 'rows' | 'isFull' | 'take'>;
type CreateBuilder = (enrich: Enrich, account: Account) => Builder;

export const PATHS = {
  tcptrail: (enrich, account) => agentsBuilder(enrich, account, { fold: false }),
  /** Other batches than all others: repeated connections are folded. */
  tcptrail_folding: (enrich, account) => agentsBuilder(enrich, account, { fold: true }),
  avsc_to_buffer: (enrich, { row }) =>
    objectsBuilder(enrich, row, (event, out, position) => {
      const bytes = EVENT_TYPE.toBuffer(event);
      out.set(bytes, position);
      return position + bytes.length;
    }),
  /** Spares avsc the buffer of each event. */
  avsc_encode: (enrich, { row }) =>
    objectsBuilder(enrich, row, (event, out, position) => EVENT_TYPE.encode(event, out, position)),
} as const satisfies Record<string, CreateBuilder>;

export type PathName = keyof typeof PATHS;

export function createPath(name: PathName, real: RealRecords, onBatch: OnBatch): Path {
  const account = createAccount();
  const owners = createOwners(
    { agentPid: 0, supervisorPid: 0 },
    { facts: (key) => factsOf(real, key), clockOffsetUs: () => real.clockOffsetUs },
  );
  const enrich = { owners, clockOffsetUs: real.clockOffsetUs, resetReason: readResetReasons() };
  const builder = PATHS[name](enrich, account);
  let position = 0;
  const batcher = createBatcher(
    { ...IDENTITY, agent_epoch: real.clockOffsetUs },
    {
      builder,
      nowUs: () => real.clockOffsetUs,
      accounting: () => ({
        kernel_epoch: real.clockOffsetUs,
        ring_positions: [{ ring: 'lifecycle', position }],
        cpus: account.cpus({}),
        failed_reserves: [],
        rules: [],
        programs: real.skippedRuns,
      }),
      namespaces: () => [],
      onBatch: ({ datum }) => onBatch(datum),
    },
  );
  return {
    run(ring) {
      ring.drain(ring.producerPosition(), (words, bytes, at) => {
        if (builder.isFull()) batcher.flush();
        builder.append(words, bytes, at);
      });
      position = ring.position;
      batcher.flush();
    },
  };
}

function factsOf({ facts }: RealRecords, key: ProcessKey): ProcessFacts {
  const found = facts.get(nameOf(key));
  if (!found) throw new Error(`no facts of ${nameOf(key)}`);
  return found;
}

function agentsBuilder(enrich: Enrich, account: Account, { fold }: { readonly fold: boolean }): Builder {
  const { owners } = enrich;
  const builder = createBatchBuilder(
    { ...BATCH, cpus: possibleCpus() },
    {
      owners,
      clockOffsetUs: () => enrich.clockOffsetUs,
      onRow: account.row,
      onBad() {
        throw new Error('a record of the kernel is no event');
      },
      resetReason: enrich.resetReason,
    },
  );
  // As in the agent by default: nothing is hidden.
  const records = createPrivateRecords({ addresses: undefined, users: undefined });
  return createReducer(
    { ...BATCH, ...REDUCE, fold },
    { owners, builder, account, records, boottimeNs: () => 0n },
  );
}

type EncodeObject = (event: object, out: Buffer, position: number) => number;

/** Each record to an object with all of its fields, then to Avro. */
function objectsBuilder(
  { owners, clockOffsetUs, resetReason }: Enrich,
  onRow: (cpu: number, seq: number) => void,
  encode: EncodeObject,
): Builder {
  const out = Buffer.alloc(BATCH.bytesMax + EVENT_BYTES_MAX);
  const read = createRecordReader({ clockOffsetUs, resetReason });
  let position = 0;
  let rows = 0;
  return {
    append(words, bytes, at) {
      const event = read(bytes, at, { owner: owners.indexOf(words, bytes, at), own: owners.own });
      position = encode(event, out, position);
      rows += 1;
      onRow(event.cpu, event.seq);
    },
    get rows() {
      return rows;
    },
    isFull: () => rows >= BATCH.rowsMax || position + owners.bytes >= BATCH.bytesMax,
    take() {
      const built = { bytes: out.subarray(0, position), count: rows, owners: owners.take() };
      position = 0;
      rows = 0;
      return built;
    },
  };
}
