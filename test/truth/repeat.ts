/**
 * The truth suite again and again (`make test-truth RUNS=20`), every other time with all processors busy. A line a
 * run, with what failed; last, one JSON object.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { endOf, spawnBound } from '@tcptrail/local-kafka/bound-child.ts';

interface Summary {
  readonly rows: number;
  readonly fields: number;
  readonly wrong: number;
  readonly missing: number;
  readonly invented: number;
  readonly unreached: number | null;
  readonly played_again: Readonly<Record<string, number>>;
}

interface Run extends Summary {
  readonly busy: boolean;
  readonly passed: boolean;
  readonly seconds: number;
}

async function runSuite(): Promise<{ readonly code: number | null; readonly output: string }> {
  const suite = spawnBound(process.execPath, [join(import.meta.dirname, 'main.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
    atEnd: 'TERM',
  });
  let output = '';
  suite.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const { code } = await endOf(suite);
  return { code, output };
}

async function runOnce(busy: boolean): Promise<Run> {
  const loops = Array.from({ length: busy ? availableParallelism() : 0 }, () =>
    spawnBound('sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' }),
  );
  const startMs = performance.now();
  try {
    const { code, output } = await runSuite();
    const lines = output.trim().split('\n');
    const summary = JSON.parse(lines.at(-1) ?? '') as Summary;
    // Of what was played again, too: why it was.
    for (const line of lines) if (/^(✖|!| {4})/.test(line)) console.log(line);
    return { ...summary, busy, passed: code === 0, seconds: (performance.now() - startMs) / 1_000 };
  } finally {
    for (const loop of loops) loop.kill('SIGKILL');
  }
}

const extent = (values: readonly number[]): readonly [number, number] => [
  Math.min(...values),
  Math.max(...values),
];

const runs: Run[] = [];
for (let run = 1; run <= Number(process.env['RUNS']); run += 1) {
  const one = await runOnce(run % 2 === 1);
  runs.push(one);
  const how = `${one.busy ? 'busy' : 'quiet'}, ${one.seconds.toFixed(0)} s`;
  const what = `${one.rows} rows, ${one.fields} fields, ${one.wrong} wrong, ${one.missing} missing, ${one.invented} invented`;
  const calls = `${one.unreached ?? 'unknown'} unreached, again: ${Object.keys(one.played_again).join(' ') || 'none'}`;
  console.log(`${one.passed ? '✔' : '✖'} run ${run} (${how}): ${what}; ${calls}`);
}
if (runs.some(({ passed }) => !passed)) process.exitCode = 1;
console.log(
  JSON.stringify({
    runs: runs.length,
    failed: runs.filter(({ passed }) => !passed).length,
    played_again: runs.filter(({ played_again }) => Object.keys(played_again).length > 0).length,
    rows: extent(runs.map(({ rows }) => rows)),
    fields: extent(runs.map(({ fields }) => fields)),
    seconds: extent(runs.map(({ seconds }) => Math.round(seconds))),
  }),
);
