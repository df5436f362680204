/** Runs of single test files as one: their events one after another, their counts summed up. */
import { resolve } from 'node:path';
import { PassThrough } from 'node:stream';
import { run } from 'node:test';

const COUNTS = ['tests', 'suites', 'passed', 'failed', 'cancelled', 'skipped', 'todo'] as const;
/** As node:test writes them. */
const NAMES: Partial<Record<string, string>> = { passed: 'pass', failed: 'fail' };

export interface Report {
  /** For a reporter of node:test. */
  readonly events: PassThrough;
  /** Runs one file in a process of its own; resolves when it is over, though what it started may still run. */
  run(file: string): Promise<void>;
  /** Writes the summary. False when a test failed, or did not end. */
  end(): boolean;
}

export interface Limits {
  /** Ends the whole run: what runs then is told as failed, and no other file begins. */
  readonly signal: AbortSignal;
  /** Of one test. */
  readonly testMs: number;
  /** Of a file: a test that failed may leave what keeps its process alive for ever. */
  readonly fileMs: number;
}

interface TestEvent {
  readonly type: string;
  readonly data: { readonly nesting?: number; readonly file?: string; readonly counts?: Counts };
}

type Counts = Readonly<Record<(typeof COUNTS)[number] | 'topLevel', number>>;

export function createReport({ signal, testMs, fileMs }: Limits): Report {
  const events = new PassThrough({ objectMode: true, highWaterMark: Number.MAX_SAFE_INTEGER });
  const sums = { tests: 0, suites: 0, passed: 0, failed: 0, cancelled: 0, skipped: 0, todo: 0, topLevel: 0 };
  const begin = performance.now();

  return {
    events,
    async run(file) {
      if (signal.aborted) return;
      // A test and its subtests stay together, whatever the other file tells meanwhile.
      let held: TestEvent[] = [];
      const either = AbortSignal.any([signal, AbortSignal.timeout(fileMs)]);
      for await (const event of run({ files: [resolve(file)], timeout: testMs, signal: either })) {
        const { type, data } = event as TestEvent;
        if (type === 'test:summary' && data.file === undefined) {
          for (const name of [...COUNTS, 'topLevel'] as const) sums[name] += data.counts?.[name] ?? 0;
          continue;
        }
        if (isOfTheRun(event as TestEvent)) continue;
        held.push(event as TestEvent);
        if (data.nesting !== 0 || (type !== 'test:pass' && type !== 'test:fail')) continue;
        for (const each of held) events.write(each);
        held = [];
      }
      for (const each of held) events.write(each);
    },
    end() {
      const duration_ms = performance.now() - begin;
      const success = sums.failed === 0 && sums.cancelled === 0 && !signal.aborted;
      const lines = COUNTS.map((name) => `${NAMES[name] ?? name} ${sums[name]}`);
      if (signal.aborted) lines.unshift('the deadline of the whole run passed: what ran then failed');
      for (const message of [...lines, `duration_ms ${duration_ms}`])
        events.write({ type: 'test:diagnostic', data: { nesting: 0, message, level: 'info' } });
      events.end({ type: 'test:summary', data: { counts: sums, duration_ms, success } });
      return success;
    },
  };
}

/** A run's own counts as text, and its plan: those of all stand at the end. */
function isOfTheRun({ type, data }: TestEvent): boolean {
  return data.file === undefined && (type === 'test:diagnostic' || type === 'test:plan');
}
