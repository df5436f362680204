/** A trace of its own instance, drained into an array. */
import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Hook } from '../../../src/trace/hooks.ts';
import { createTrace, type Trace, type TraceConfig } from '../../../src/trace/trace.ts';
import { type RingRecord, recordAt } from './record.ts';

export interface Recorder {
  readonly trace: Trace;
  readonly instance: string;
  /** Everything drained so far. */
  readonly records: readonly RingRecord[];
  /** Drains to a valid sample and returns what it counted. */
  drain(): Promise<{ seq: number; failed: number }>;
  /** One whole look for what no hook tells; nothing else looks. */
  watch(): void;
  /** Drains until `count` records satisfy `wanted`; throws after 10 s, saying what it had. */
  until(count: number, wanted: (record: RingRecord) => boolean): Promise<RingRecord[]>;
  /** `blind`: nothing records until another of this instance goes on with the connections. `restart`: it goes on. */
  close(how?: 'blind' | 'restart'): void;
}

const DEADLINE_MS = 10_000;

export const instanceName = (): string => `test-${process.pid}-${randomBytes(4).toString('hex')}`;

export async function startRecorder(
  options: {
    instance?: string;
    lifecycleBytes?: number;
    chatterBytes?: number;
    events?: TraceConfig['events'];
    hooks?: readonly Hook[];
    objectPath?: string;
    bpffs?: string;
    /** Two of one instance with the same go on as one that was blind in between. */
    epochUs?: number;
  } = {},
): Promise<Recorder> {
  const instance = options.instance ?? instanceName();
  const trace = createTrace(
    {
      instance,
      ring: {
        lifecycleBytes: options.lifecycleBytes ?? 16 << 20,
        chatterBytes: options.chatterBytes ?? 4 << 20,
      },
      events: { scanMs: 0, ...options.events },
      ...(options.objectPath && { objectPath: options.objectPath }),
      ...(options.bpffs && { bpffs: options.bpffs }),
    },
    {
      nowUs: () => options.epochUs ?? Math.round((performance.timeOrigin + performance.now()) * 1000),
      ...(options.hooks && { hooks: options.hooks }),
    },
  );
  trace.start();
  const records: RingRecord[] = [];

  async function drain() {
    const deadline = Date.now() + DEADLINE_MS;
    let sample = trace.recording.sample();
    while (!sample) {
      if (Date.now() > deadline) throw new Error('no valid sample in 10 s');
      await wait(1);
      sample = trace.recording.sample();
    }
    for (const ring of ['lifecycle', 'chatter'] as const) {
      trace.recording.rings[ring].drain(sample.upTo[ring], (_words, bytes, at) => {
        records.push({ ...recordAt(bytes, at), ring });
      });
      trace.recording.rings[ring].release();
    }
    const total = (key: 'seq' | 'failed') => sample.accounts.reduce((sum, account) => sum + account[key], 0);
    return { seq: total('seq'), failed: total('failed') };
  }

  /** What the kernel side says it did not tell. */
  const missed = () => ({
    failed: trace.recording.failedReserves(),
    untracked: trace.recording.untracked(),
    skipped: trace.recording.skippedRuns().filter(({ skipped_runs }) => skipped_runs > 0),
  });

  return {
    trace,
    instance,
    records,
    drain,
    watch: () => trace.watch(performance.now()),
    async until(count, wanted) {
      const deadline = Date.now() + DEADLINE_MS;
      for (;;) {
        await drain();
        const found = records.filter(wanted);
        if (found.length >= count) return found;
        if (Date.now() > deadline)
          throw new Error(`${found.length} of ${count} records: ${JSON.stringify({ found, ...missed() })}`);
        await wait(20);
      }
    },
    close(how) {
      if (how !== 'restart') trace.detach();
      trace.close({ forget: how === 'restart' ? 'nothing' : how === 'blind' ? 'state' : 'instance' });
    },
  };
}
