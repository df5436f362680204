/** The connections of one network namespace that a spool holds, read as it grows. */
import { createAvroReader } from '@tcptrail/schemas/avro-reader.ts';
import { decodeEnvelope } from '@tcptrail/schemas/batch.ts';
import { EVENT_KINDS, type EventKind } from '@tcptrail/schemas/enums.ts';
import {
  allocateEvents,
  decodeEvents,
  EVENT_TEXTS,
  type EventTexts,
} from '@tcptrail/schemas/generated/decode-events.ts';
import { createTextDictionary } from '@tcptrail/schemas/text-dictionary.ts';
import { openSegmentChain } from '@tcptrail/spool/segment-chain.ts';
import { until } from '../../harness/until.ts';

export interface SpoolRows {
  /** Reads what has come. */
  read(): void;
  rows(kind: EventKind): number;
  /** Sides of connections with such a row: distinct socket cookie and generation. */
  sides(kind: EventKind): number;
  /** Of all rows, those of which this is the owner. */
  rowsOf(pid: number): number;
  readonly total: number;
  /** Events of the whole machine that the kernel lost because a ring was full or busy. */
  readonly failed: number;
  /** Reads until so many sides have such a row (until there are so many such rows), or none has come for a while. */
  wait(kind: EventKind, count: number, of?: 'sides' | 'rows'): Promise<void>;
  close(): void;
}

/** `batch.rowsMax` at its largest. */
const ROWS_MAX = 10_000;
const QUIET_MS = 5_000;

export function readSpool(path: string, networkNamespace: number): SpoolRows {
  const chain = openSegmentChain(path, undefined);
  const arrays = allocateEvents(ROWS_MAX);
  const texts = Object.fromEntries(
    EVENT_TEXTS.map((name) => [name, createTextDictionary()]),
  ) as unknown as EventTexts;
  const counts = EVENT_KINDS.map(() => 0);
  const connections = EVENT_KINDS.map(() => new Set<string>());
  const byPid = new Map<number, number>();
  let total = 0;
  let failed = 0;

  function take(datum: Uint8Array): void {
    const { envelope } = decodeEnvelope(datum, (bytes, offset, { owners }) => {
      const reader = createAvroReader(bytes, offset);
      let count = 0;
      for (let block = reader.long(); block > 0; block = reader.long()) {
        reader.position = decodeEvents(bytes, reader.position, block, owners.length, count, arrays, texts);
        count += block;
      }
      for (let row = 0; row < count; row++) {
        if (arrays.network_namespace[row] !== networkNamespace) continue;
        const kind = arrays.kind[row] ?? 0;
        const pid = owners[arrays.owner[row] ?? 0]?.pid ?? 0;
        total += 1;
        counts[kind] = (counts[kind] ?? 0) + 1;
        byPid.set(pid, (byPid.get(pid) ?? 0) + 1);
        const [low, high] = arrays.socket_cookie.subarray(2 * row, 2 * row + 2);
        connections[kind]?.add(`${high}/${low}/${arrays.generation[row]}`);
      }
      return { end: reader.position, count };
    });
    failed = envelope.cpus.reduce((sum, cpu) => sum + cpu.failed, 0);
  }

  const self: SpoolRows = {
    read() {
      for (let read = chain.next(); read.kind !== 'nothing'; read = chain.next()) {
        if (read.kind === 'damage') throw new Error(`the spool is damaged: ${read.why}`);
        take(read.datum);
      }
    },
    rows: (kind) => counts[EVENT_KINDS.indexOf(kind)] ?? 0,
    sides: (kind) => connections[EVENT_KINDS.indexOf(kind)]?.size ?? 0,
    rowsOf: (pid) => byPid.get(pid) ?? 0,
    get total() {
      return total;
    },
    get failed() {
      return failed;
    },
    async wait(kind, count, of = 'sides') {
      let last = -1;
      let sinceMs = 0;
      await until(`${count} ${of} of kind ${kind}`, () => {
        self.read();
        const found = self[of](kind);
        if (found !== last) sinceMs = performance.now();
        last = found;
        return found >= count || performance.now() - sinceMs > QUIET_MS;
      });
    },
    close: chain.close,
  };
  return self;
}
