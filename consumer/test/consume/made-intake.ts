/** An intake of partition 3 of a topic, handed what no broker sent; it writes down what happens, in order. */
import { frame } from '@tcptrail/schemas/single-object.ts';
import { pino } from 'pino';
import { datumOf } from '../../../test/spool-writer.ts';
import { createBatcher } from '../../src/batch/batcher.ts';
import { createIntake } from '../../src/consume/intake.ts';
import { createMembership } from '../../src/consume/lease.ts';
import { noteOf, positionOf } from '../../src/consume/note.ts';
import type { MessageRange, RangeHandler } from '../../src/consume/transport.ts';
import { createMetrics } from '../../src/metrics.ts';

export const HEARTBEAT_MS = 100;
export const YIELD_MS = 1_000;
export const HELD_MS = 10_000;

/** One batch of one row. */
export const message = (): Buffer => Buffer.from(frame(datumOf({}, [{ seq: 1 }])));

export interface MadeIntake {
  /** `range 10-11`, `letters 1`, `resolve 11`, `commit 12`, `commit 10 <note>` with something begun, `pause`, `seek 3 0`. */
  readonly log: string[];
  readonly ranges: readonly MessageRange[];
  readonly membership: ReturnType<typeof createMembership>;
  readonly metrics: ReturnType<typeof createMetrics>;
  readonly ending: AbortController;
  /** Those that each range meets; they do nothing unless set. */
  handler: RangeHandler;
  /** The one before the first range of a fetch is always answered. */
  heartbeat: () => Promise<void>;
  commit: (note: string) => Promise<void>;
  assertSameTopic: () => Promise<void>;
  /** What the group has committed, as it is read behind each join. */
  position: Position;
  /** Hands over the values, from that offset on. */
  fetch(first: number, values: readonly Buffer[]): Promise<void>;
}

type Position = { readonly offset: string; readonly metadata: string | null };

export interface MadeIntakeOptions {
  /** At the start; offset 10 unless told. */
  readonly position?: Position;
  readonly rowsMax?: number;
  readonly put?: () => Promise<void>;
  readonly nowMs?: () => number;
}

export function makeIntake(options: MadeIntakeOptions = {}): MadeIntake {
  const { position = { offset: '10', metadata: noteOf('id') }, rowsMax = 1, nowMs = () => 0 } = options;
  const log: string[] = [];
  const ranges: MessageRange[] = [];
  const membership = createMembership({ heldMs: HELD_MS }, nowMs);
  membership.joined();
  const metrics = createMetrics();
  const ending = new AbortController();
  const intake = createIntake(
    { heartbeatMs: HEARTBEAT_MS, yieldMsMax: YIELD_MS },
    {
      membership,
      ending: ending.signal,
      log: pino({ level: 'silent' }),
      metrics,
      origin: 't@id',
      topicId: 'id',
      positionOf: async () => positionOf(made.position, 'id'),
      assertSameTopic: () => made.assertSameTopic(),
      seek: (partition, offset) => log.push(`seek ${partition} ${offset}`),
      createFill: () => createBatcher({ rowsMax, bytesMax: 1e9, flushMs: 0 }),
      deadLetters: {
        async put(letters) {
          if (letters.length > 0) log.push(`letters ${letters.length}`);
          await options.put?.();
        },
      },
      onCommitted() {},
      onStopped: (error, partition) => log.push(`stopped ${partition} ${error.code}`),
      handler(range) {
        ranges.push(range);
        log.push(`range ${range.messages.map(({ offset }) => offset).join('-')}`);
        return made.handler(range);
      },
    },
  );
  const made: MadeIntake = {
    log,
    ranges,
    membership,
    metrics,
    ending,
    handler: async () => [],
    heartbeat: async () => {},
    commit: async () => {},
    assertSameTopic: async () => {},
    position,
    fetch(first, values) {
      let beats = 0;
      return intake({
        batch: {
          topic: 't',
          partition: 3,
          highWatermark: '99',
          messages: values.map((value, index) => ({ offset: String(first + index), key: null, value })),
        },
        async heartbeat() {
          if (beats++ > 0) await made.heartbeat();
        },
        resolveOffset: (offset) => log.push(`resolve ${offset}`),
        async commitOffsetsIfNecessary({ topics }) {
          const { offset = '', metadata = '' } = topics[0]?.partitions[0] ?? {};
          await made.commit(metadata);
          log.push(metadata === noteOf('id') ? `commit ${offset}` : `commit ${offset} ${metadata}`);
        },
        pause() {
          log.push('pause');
          return () => {};
        },
      });
    },
  };
  return made;
}
