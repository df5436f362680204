/**
 * Runs the test files given with node:test and prints one summary; `make test` calls it.
 *
 * Two files run side by side, as tests mostly start processes and wait for them. Only one of them may be of those
 * that load the machine with connections or count all of them: an agent records the whole machine.
 */
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { spec } from 'node:test/reporters';
import { removeLeftPins } from './harness/left-pins.ts';
import { createReport } from './harness/report.ts';

/** Runs alone, first: each agent that starts makes the kernel pass over a few calls of the programs that are there. */
const ALONE = /^test\/truth\/.*\.system\.test\.ts$/;
/** Take turns; what has no agent, or publishes to Kafka, neither loads the machine nor counts what it does. */
const WHOLE_MACHINE = /^(agent(?!\/test\/publish)|test\/(chaos(?!\/exact)|e2e))\/.*\.system\.test\.ts$/;
/** Begin, as the longest of the others, so that neither side runs alone for long at the end. */
const LONGEST = /^(test\/chaos\/exact|cli\/test\/up|consumer\/test\/(kafka|consumer|clickhouse))/;

/**
 * Of one test, a file and the whole run, several times what each takes: what hangs is named instead of waited for.
 * The longest test takes a minute and a half, and many times that with the counts of `make test-long`.
 */
const MINUTES = process.env['TCPTRAIL_TEST_LONG']
  ? { test: 30, file: 60, run: 90 }
  : { test: 5, file: 8, run: 45 };
const DEADLINE_MS = Number(process.env['TCPTRAIL_TEST_DEADLINE_MS'] ?? MINUTES.run * 60_000);
const FILE_MS = Number(process.env['TCPTRAIL_TEST_FILE_MS'] ?? MINUTES.file * 60_000);

/** What lets the hundreds of processes start sooner; no test depends on it. Each user has an own folder in the cache. */
const NODE_COMPILE_CACHE = join(import.meta.dirname, '../node_modules/.cache/node-compile');
mkdirSync(NODE_COMPILE_CACHE, { recursive: true });
chmodSync(NODE_COMPILE_CACHE, 0o1777);
Object.assign(process.env, { NODE_COMPILE_CACHE, JDK_JAVA_OPTIONS: '-XX:TieredStopAtLevel=1' });

const files = process.argv.slice(2);
const alone = files.filter((file) => ALONE.test(file));
const wholeMachine = files.filter((file) => WHOLE_MACHINE.test(file));
const others = files.filter((file) => !ALONE.test(file) && !WHOLE_MACHINE.test(file));
const byLength = [
  ...others.filter((file) => LONGEST.test(file)),
  ...others.filter((file) => !LONGEST.test(file)),
];

const report = createReport({
  signal: AbortSignal.timeout(DEADLINE_MS),
  testMs: MINUTES.test * 60_000,
  fileMs: FILE_MS,
});
const printed = Readable.from(report.events).pipe(new spec());
printed.pipe(process.stdout);

async function runAll(own: string[]): Promise<void> {
  for (;;) {
    const file = own.shift() ?? byLength.shift();
    if (file === undefined) return;
    await report.run(file);
  }
}

removeLeftPins();
for (const file of alone) await report.run(file);
await Promise.all([runAll(wholeMachine), runAll([])]);
process.exitCode = report.end() ? 0 : 1;
removeLeftPins();
await finished(printed);
// What a file cut off had started may hold its output, and with it this process.
process.exit();
