/**
 * Runs the test files given, two at a time, and prints one summary: what `make test` calls.
 *
 * Most of the time goes into processes that start and into waiting for them, so two files side by side fill two CPUs.
 * Files in FIRST begin the run, so that none of them runs alone at its end; the others follow in the order given.
 */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

const ROOT = join(import.meta.dirname, '..');
const TIMEOUT_MS = 600_000;

/** The longest ones. */
const FIRST = [
  'test/chaos/kafka-kills.system.test.ts',
  'cli/test/up-kafka.system.test.ts',
  'test/e2e/kafka-faults.system.test.ts',
  'cli/test/up.system.test.ts',
];

/** What lets the hundreds of short-lived processes start sooner; no test depends on it. */
const FASTER_STARTS = {
  NODE_COMPILE_CACHE: join(ROOT, 'node_modules/.cache/node-compile'),
  JDK_JAVA_OPTIONS: '-XX:TieredStopAtLevel=1',
};
mkdirSync(FASTER_STARTS.NODE_COMPILE_CACHE, { recursive: true });
Object.assign(process.env, FASTER_STARTS);

const given = process.argv.slice(2);
const first = FIRST.filter((file) => given.includes(file));
const files = [...first, ...given.filter((file) => !first.includes(file))].map((file) => resolve(file));
const results = run({ files, concurrency: Number(process.env['C'] ?? 2), timeout: TIMEOUT_MS });
results.on('test:fail', () => {
  process.exitCode = 1;
});
results.compose(new spec()).pipe(process.stdout);
