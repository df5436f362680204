/**
 * Records as another version's programs write them, turned into those of this one: members of the same name are taken
 * over, what this version has no name for is left out, and what that one did not know is 0.
 */
import { RING_EVENT_BYTES, RING_LAYOUT } from '@tcptrail/schemas/generated/ring.ts';
import type { OnRecord } from './ring-buffer.ts';

interface Member {
  readonly name: string;
  readonly offset: number;
  readonly bytes: number;
}

export interface RecordLayout {
  /** Bytes of every record. */
  readonly recordBytes: number;
  /** `onRecord` gets records of this version; its views are valid until the next record. */
  translated(onRecord: OnRecord): OnRecord;
}

/** `text`: as RING_LAYOUT. undefined when it is none, or lacks what every event needs. */
export function parseRecordLayout(text: string): RecordLayout | undefined {
  if (text === RING_LAYOUT) return { recordBytes: RING_EVENT_BYTES, translated: (onRecord) => onRecord };
  const theirs = membersOf(text);
  const recordBytes = Number(text.split(' ', 1)[0]);
  const isWhole = theirs.every(({ offset, bytes }) => bytes > 0 && offset + bytes <= recordBytes);
  const hasNeeded = ['ts', 'seq', 'cpu', 'kind'].every((name) =>
    theirs.some((member) => member.name === name),
  );
  if (!Number.isInteger(recordBytes) || recordBytes % 8 !== 0 || !isWhole || !hasNeeded) return undefined;
  const copies = membersOf(RING_LAYOUT).flatMap((to) => {
    const from = theirs.find(({ name }) => name === to.name);
    // Numbers are little-endian, texts end in zeros: what is longer here begins as it is there.
    return from ? [{ from: from.offset, to: to.offset, bytes: Math.min(from.bytes, to.bytes) }] : [];
  });
  return {
    recordBytes,
    translated(onRecord) {
      const record = new Uint8Array(RING_EVENT_BYTES);
      const recordWords = new Uint32Array(record.buffer);
      return (_words, bytes, at) => {
        record.fill(0);
        for (const { from, to, bytes: length } of copies)
          for (let i = 0; i < length; i += 1) record[to + i] = bytes[at + from + i] ?? 0;
        onRecord(recordWords, record, 0);
      };
    },
  };
}

function membersOf(text: string): readonly Member[] {
  return text
    .split(' ')
    .slice(1)
    .map((member) => {
      const [name = '', offset, bytes] = member.split(':');
      return { name, offset: Number(offset), bytes: Number(bytes) };
    });
}
