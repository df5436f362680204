/** Ring records to the events of one batch, in a buffer that the next batch uses again. */
import type { Owner } from '@tcptrail/schemas/batch.ts';
import { EVENT_KINDS, type EventKind } from '@tcptrail/schemas/enums.ts';
import {
  type AgentFields,
  EVENT_BYTES_MAX,
  encodeEvent,
  isValidEvent,
} from '@tcptrail/schemas/generated/encode-event.ts';
import { RING } from '@tcptrail/schemas/generated/ring.ts';
import { BATCH_BYTES_MAX } from '../config.ts';

/** What the batch takes from the enrich stage. */
export interface EventOwners {
  indexOf(words: Uint32Array, bytes: Uint8Array, at: number): number;
  readonly own: boolean;
  readonly bytes: number;
  take(): Owner[];
}

export interface BatchBuilderDeps {
  readonly owners: EventOwners;
  readonly clockOffsetUs: () => number;
  /** Called for each row, with the number the kernel gave it. */
  readonly onRow: (cpu: number, seq: number) => void;
  /** Called for each record that no event can be made of; it becomes no row. */
  readonly onBad: () => void;
  /** The kernel's name for a reset reason; '' when it has none. */
  readonly resetReason: (code: number) => string;
}

export interface BuiltEvents {
  /** Valid until the next `append`. */
  readonly bytes: Uint8Array;
  readonly count: number;
  readonly owners: Owner[];
}

/** What a row says beside its record. */
export interface RowFields {
  /** Index in the batch. */
  readonly owner: number;
  readonly own: boolean;
  /** Connections that ended with it. */
  readonly connections: number;
  /** Numbered events in it beside its own. */
  readonly folded: number;
  /** Connections by round-trip time. */
  readonly rttHistogram: readonly number[];
}

export interface BatchBuilder {
  /** Whether an event can be made of the record at byte `at` of two views of a ring. */
  accepts(words: Uint32Array, bytes: Uint8Array, at: number): boolean;
  /** Appends the record at byte `at` of two views of a ring, if it is a good one. There must be room. */
  append(words: Uint32Array, bytes: Uint8Array, at: number): void;
  /** Appends a record that was held back, one that was made of several too. It is not told to `onRow`. */
  appendHeld(words: Uint32Array, bytes: Uint8Array, at: number, fields: RowFields): void;
  /** About the bytes of the batch so far. */
  readonly bytes: number;
  readonly rows: number;
  /** By rows or bytes. */
  isFull(): boolean;
  take(): BuiltEvents;
  /** Other limits, from now on. */
  configure(limits: BatchLimits): void;
}

export interface BatchLimits {
  readonly rowsMax: number;
  readonly bytesMax: number;
}

/** Kinds that end a connection: summed over all events, `connections` counts each once. */
const COUNTED: readonly EventKind[] = ['fail', 'close'];
const CONNECTIONS = EVENT_KINDS.map((kind) => (COUNTED.includes(kind) ? 1 : 0));
const RESET = EVENT_KINDS.indexOf('reset');
/** Kinds the kernel never tells: none, and what the agent folds. */
const UNKNOWN = EVENT_KINDS.indexOf('unknown');
const SUMMARY = EVENT_KINDS.indexOf('summary');
const NOTHING = new Uint8Array(0);
const NONE: readonly number[] = [];

export function createBatchBuilder(
  config: BatchLimits & {
    /** CPUs of this machine are numbered below this. */
    readonly cpus: number;
  },
  deps: BatchBuilderDeps,
): BatchBuilder {
  const { owners } = deps;
  const limits = { rowsMax: config.rowsMax, bytesMax: config.bytesMax };
  // What is not used of it takes no memory.
  const out = new Uint8Array(BATCH_BYTES_MAX + EVENT_BYTES_MAX);
  const view = new DataView(out.buffer);
  const reasons = new Map<number, Uint8Array>();
  const agent: AgentFields = {
    clock_offset_us: 0,
    peer_name: NOTHING,
    peer_name_source: 0,
    peer_translated_address: new Uint32Array(4),
    peer_translated_port: 0,
    owner: 0,
    own: false,
    reset_reason: NOTHING,
    connections: 0,
    folded: 0,
    rtt_histogram: NONE,
  };
  let position = 0;
  let rows = 0;

  function reasonOf(code: number): Uint8Array {
    let reason = reasons.get(code);
    if (!reason) {
      reason = new Uint8Array(Buffer.from(deps.resetReason(code).slice(0, 64)));
      reasons.set(code, reason);
    }
    return reason;
  }

  /** A kind that the kernel tells, with a number it gave. */
  function isTold(kind: number, cpu: number, seq: number): boolean {
    const isNumbered = cpu < config.cpus && seq > 0 && seq <= Number.MAX_SAFE_INTEGER;
    return kind !== UNKNOWN && kind !== SUMMARY && isNumbered;
  }

  return {
    accepts: (words, bytes, at) =>
      isTold(bytes[at + RING.kind] ?? 0, u16(bytes, at + RING.cpu), u64(words, at + RING.seq)) &&
      isValidEvent(words, at),
    append(words, bytes, at) {
      const kind = bytes[at + RING.kind] ?? 0;
      const cpu = u16(bytes, at + RING.cpu);
      const seq = u64(words, at + RING.seq);
      if (!isTold(kind, cpu, seq) || !isValidEvent(words, at)) {
        deps.onBad();
        return;
      }
      agent.clock_offset_us = deps.clockOffsetUs();
      agent.owner = owners.indexOf(words, bytes, at);
      agent.own = owners.own;
      agent.connections = CONNECTIONS[kind] ?? 0;
      agent.reset_reason = kind === RESET ? reasonOf(u16(bytes, at + RING.reset_reason_code)) : NOTHING;
      position = encodeEvent(words, bytes, at, view, position, agent);
      rows += 1;
      deps.onRow(cpu, seq);
    },
    appendHeld(words, bytes, at, fields) {
      agent.clock_offset_us = deps.clockOffsetUs();
      agent.owner = fields.owner;
      agent.own = fields.own;
      agent.connections = fields.connections;
      agent.reset_reason = NOTHING;
      agent.folded = fields.folded;
      agent.rtt_histogram = fields.rttHistogram;
      position = encodeEvent(words, bytes, at, view, position, agent);
      agent.folded = 0;
      agent.rtt_histogram = NONE;
      rows += 1;
    },
    get bytes() {
      return position + owners.bytes;
    },
    get rows() {
      return rows;
    },
    isFull: () => rows >= limits.rowsMax || position + owners.bytes >= limits.bytesMax,
    take() {
      const built = { bytes: out.subarray(0, position), count: rows, owners: owners.take() };
      position = 0;
      rows = 0;
      return built;
    },
    configure({ rowsMax, bytesMax }) {
      limits.rowsMax = rowsMax;
      limits.bytesMax = bytesMax;
    },
  };
}

function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
}

function u64(words: Uint32Array, at: number): number {
  return (words[(at >>> 2) + 1] ?? 0) * 0x1_0000_0000 + (words[at >>> 2] ?? 0);
}
