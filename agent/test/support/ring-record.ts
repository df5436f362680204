/** Ring records made by hand. */
import { EVENT_KINDS, type EventKind } from '@tcptrail/schemas/enums.ts';
import { RING, RING_EVENT_BYTES } from '@tcptrail/schemas/generated/ring.ts';

export interface RecordParts {
  readonly kind?: EventKind;
  readonly ts?: bigint;
  readonly cpu?: number;
  readonly seq?: number;
  readonly pid?: number;
  readonly startNs?: bigint;
  readonly uid?: number;
  readonly comm?: string;
  readonly parentPid?: number;
  readonly cgroupId?: bigint;
  readonly execId?: number;
  readonly peerPort?: number;
  readonly resetReasonCode?: number;
}

export interface Ring {
  readonly words: Uint32Array;
  readonly bytes: Uint8Array;
  /** Byte offset of each record. */
  readonly at: readonly number[];
}

export function ringOf(...records: readonly RecordParts[]): Ring {
  const buffer = Buffer.alloc(Math.max(1, records.length) * RING_EVENT_BYTES);
  const at = records.map((record, index) => {
    const start = index * RING_EVENT_BYTES;
    buffer.writeUInt8(EVENT_KINDS.indexOf(record.kind ?? 'close'), start + RING.kind);
    buffer.writeBigUInt64LE(record.ts ?? 1_000_000_000n, start + RING.ts);
    buffer.writeUInt16LE(record.cpu ?? 0, start + RING.cpu);
    buffer.writeBigUInt64LE(BigInt(record.seq ?? index + 1), start + RING.seq);
    buffer.writeUInt32LE(record.pid ?? 0, start + RING.pid);
    buffer.writeBigUInt64LE(record.startNs ?? 0n, start + RING.process_start_ts);
    buffer.writeUInt32LE(record.uid ?? 0, start + RING.uid);
    buffer.write(record.comm ?? '', start + RING.comm, 16);
    buffer.writeUInt32LE(record.parentPid ?? 0, start + RING.parent_pid);
    buffer.writeBigUInt64LE(record.cgroupId ?? 0n, start + RING.cgroup_id);
    buffer.writeUInt32LE(record.execId ?? 0, start + RING.exec_id);
    buffer.writeUInt16LE(record.peerPort ?? 0, start + RING.peer_port);
    buffer.writeUInt16LE(record.resetReasonCode ?? 0, start + RING.reset_reason_code);
    return start;
  });
  // Aligned as a mapped ring is; a Buffer out of the pool need not be.
  const bytes = Uint8Array.from(buffer);
  return { bytes, words: new Uint32Array(bytes.buffer), at };
}
