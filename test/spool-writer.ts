/** A spool folder as an agent writes it, with events that tests can tell apart. */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { type BatchEnvelope, encodeBatch } from '@tcptrail/schemas/batch.ts';
import { writeBlock, writeHeader } from '@tcptrail/schemas/container.ts';
import { EVENT_BYTES_MAX, encodeEvent } from '@tcptrail/schemas/generated/encode-event.ts';
import { RING, RING_EVENT_BYTES } from '@tcptrail/schemas/generated/ring.ts';
import { NEWEST, schemaUrl } from '@tcptrail/schemas/versions.ts';
import { writeAddress } from '../cli/src/import/address-bytes.ts';
import { plainAgent } from './plain-agent.ts';
import { SAMPLE_OWNER, sampleEnvelope } from './sample-batch.ts';

export const HOST = 'host-a';
/** Of what `batch` and `datumOf` write. */
export const SCHEMA = readFileSync(schemaUrl(NEWEST), 'utf8');

/** A whole second of today, so that no row ages away while a test runs. µs. */
export const NOW_US = Math.floor(Date.now() / 1000) * 1_000_000;

export interface MadeEvent {
  readonly seq: number;
  readonly cpu?: number;
  /** Absent: the batch's time. */
  readonly tsUs?: number;
  readonly kind?: number;
  readonly state?: number;
  readonly resetDirection?: number;
  readonly cookie?: number;
  readonly generation?: number;
  readonly verdict?: number;
  readonly role?: number;
  /** Absent: `::` and 0. */
  readonly local?: MadeEnd;
  readonly peer?: MadeEnd;
}

export interface MadeEnd {
  readonly address: string;
  readonly port: number;
}

export function datumOf(change: Partial<BatchEnvelope>, events: readonly MadeEvent[]): Uint8Array {
  const envelope = sampleEnvelope({ host_id: HOST, batch_ts: NOW_US, owners: [SAMPLE_OWNER], ...change });
  const out = new Uint8Array(Math.max(1, events.length) * EVENT_BYTES_MAX);
  const view = new DataView(out.buffer);
  let position = 0;
  const agent = plainAgent();
  for (const event of events) {
    const ring = Buffer.from(new ArrayBuffer(RING_EVENT_BYTES));
    ring[RING.kind] = event.kind ?? 4;
    ring[RING.state] = event.state ?? 0;
    ring[RING.reset_direction] = event.resetDirection ?? 0;
    ring.writeBigUInt64LE(BigInt(event.tsUs ?? envelope.batch_ts) * 1000n, RING.ts);
    ring.writeBigUInt64LE(BigInt(event.seq), RING.seq);
    ring.writeUInt16LE(event.cpu ?? 0, RING.cpu);
    ring.writeBigUInt64LE(BigInt(event.cookie ?? event.seq), RING.socket_cookie);
    ring.writeUInt32LE(event.generation ?? 0, RING.generation);
    ring[RING.verdict] = event.verdict ?? 0;
    ring[RING.role] = event.role ?? 0;
    writeAddress(event.local?.address ?? '::', ring, RING.local_address);
    writeAddress(event.peer?.address ?? '::', ring, RING.peer_address);
    ring.writeUInt16LE(event.local?.port ?? 0, RING.local_port);
    ring.writeUInt16LE(event.peer?.port ?? 0, RING.peer_port);
    position = encodeEvent(new Uint32Array(ring.buffer), ring, 0, view, position, agent);
  }
  return encodeBatch(envelope, { bytes: out.subarray(0, position), count: events.length });
}

export interface MadeSpool {
  readonly path: string;
  readonly agentEpoch: number;
  /** Begins a new segment of the run, with that schema in its header. */
  rotate(schema?: string): void;
  /** Begins another run of the agent. */
  restart(agentEpoch: number): void;
  /** Appends the next batch of the run, its events numbered on; returns its batch_seq. */
  batch(
    events?: number,
    change?: Partial<BatchEnvelope>,
    each?: (index: number) => Partial<MadeEvent>,
  ): number;
  /** Appends a block with any datum. */
  datum(datum: Uint8Array): void;
  raw(bytes: Uint8Array): void;
  /** Path of the segment written to. */
  readonly file: string;
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tcptrail-spool-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function createSpool(path: string = join(temporaryFolder(), 'spool'), firstEpoch = NOW_US): MadeSpool {
  if (!existsSync(path)) mkdirSync(path);
  let agentEpoch = firstEpoch;
  let number = 0;
  let batchSeq = 0;
  let seq = 0;
  let file = '';
  const sync = Buffer.from('0123456789abcdef');
  const rotate = (schema = SCHEMA): void => {
    number += 1;
    file = join(path, `${String(agentEpoch).padStart(16, '0')}-${String(number).padStart(8, '0')}.avro`);
    writeFileSync(file, writeHeader({ schema, sync }));
  };
  const datum = (bytes: Uint8Array): void => appendFileSync(file, writeBlock(bytes, sync));
  rotate();
  return {
    path,
    get agentEpoch() {
      return agentEpoch;
    },
    get file() {
      return file;
    },
    rotate,
    restart(epoch) {
      agentEpoch = epoch;
      number = 0;
      batchSeq = 0;
      rotate();
    },
    batch(events = 1, change = {}, each = () => ({})) {
      batchSeq += 1;
      const made = Array.from({ length: events }, (_, index): MadeEvent => {
        seq += 1;
        return { seq, ...each(index) };
      });
      datum(
        datumOf({ agent_epoch: agentEpoch, batch_seq: batchSeq, kernel_epoch: firstEpoch, ...change }, made),
      );
      return batchSeq;
    },
    datum,
    raw: (bytes) => appendFileSync(file, bytes),
  };
}
