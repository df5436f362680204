/** Runs of single test files as one: their events one after another, their counts summed up. */
import { resolve } from 'node:path';
import { PassThrough } from 'node:stream';
import { run } from 'node:test';

const IS_LONG = process.env['TCPTRAIL_TEST_LONG'] !== undefined;
/** Of one test; the longest takes a minute and a half, and several with the counts of `make test-long`. */
const TIMEOUT_MS = IS_LONG ? 1_800_000 : 300_000;
/** Of a file: a test that failed may leave what keeps its process alive for ever. */
const FILE_TIMEOUT_MS = IS_LONG ? 3_600_000 : 480_000;
const COUNTS = ['tests', 'suites', 'passed', 'failed', 'cancelled', 'skipped', 'todo'] as const;
/** As node:test writes them. */
const NAMES: Partial<Record<string, string>> = { passed: 'pass', failed: 'fail' };

export interface Report {
  /** For a reporter of node:test. */
  readonly events: PassThrough;
  /** Runs one file in a process of its own; resolves when it is over. */
  run(file: string): Promise<void>;
  /** Writes the summary; a file that still runs has failed. False when a test failed. */
  end(): boolean;
}

interface TestEvent {
  readonly type: string;
  readonly data: { readonly nesting?: number; readonly file?: string; readonly counts?: Counts };
}

type Counts = Readonly<Record<(typeof COUNTS)[number] | 'topLevel', number>>;

export function createReport(): Report {
  const events = new PassThrough({ objectMode: true, highWaterMark: Number.MAX_SAFE_INTEGER });
  const sums = { tests: 0, suites: 0, passed: 0, failed: 0, cancelled: 0, skipped: 0, todo: 0, topLevel: 0 };
  const begin = performance.now();
  const running = new Set<string>();
  const ended = new AbortController();

  return {
    events,
    async run(file) {
      // A test and its subtests stay together, whatever the other file tells meanwhile.
      let held: TestEvent[] = [];
      running.add(file);
      const signal = AbortSignal.any([ended.signal, AbortSignal.timeout(FILE_TIMEOUT_MS)]);
      for await (const event of run({ files: [resolve(file)], timeout: TIMEOUT_MS, signal })) {
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
      running.delete(file);
    },
    end() {
      const duration_ms = performance.now() - begin;
      ended.abort();
      for (const file of running) {
        sums.tests++;
        sums.failed++;
        events.write({ type: 'test:fail', data: stillRunning(file, duration_ms) });
      }
      const success = sums.failed === 0 && sums.cancelled === 0;
      const lines = COUNTS.map((name) => `${NAMES[name] ?? name} ${sums[name]}`);
      for (const message of [...lines, `duration_ms ${duration_ms}`])
        events.write({ type: 'test:diagnostic', data: { nesting: 0, message, level: 'info' } });
      events.end({ type: 'test:summary', data: { counts: sums, duration_ms, success } });
      return success;
    },
  };
}

function stillRunning(file: string, duration_ms: number): object {
  const error = new Error('did not end before the deadline of the whole run');
  error.stack = error.message;
  return { name: file, nesting: 0, file: resolve(file), line: 1, column: 1, details: { duration_ms, error } };
}

/** A run's own counts as text, and its plan: those of all stand at the end. */
function isOfTheRun({ type, data }: TestEvent): boolean {
  return data.file === undefined && (type === 'test:diagnostic' || type === 'test:plan');
}
