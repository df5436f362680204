/** The truth suite as tests, one a scenario; `make test-truth` runs it by itself. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { endOf, spawnBound } from '@tcptrail/local-kafka/bound-child.ts';

interface Told {
  readonly name: string;
  readonly mark: string;
  readonly lines: readonly string[];
}

interface Summary {
  readonly scenarios: number;
  readonly rows: number;
  readonly wrong: number;
  readonly missing: number;
  readonly invented: number;
}

/**
 * A scenario's line begins with a mark and its name; what is wrong with it stands indented below. Of one that was played
 * again, as calls had reached no program, the last counts.
 */
function tellings(output: string): Told[] {
  const found: { name: string; mark: string; lines: string[] }[] = [];
  for (const line of output.split('\n')) {
    const [, mark, name] = /^([✔✖-]) ([a-z0-9_]+): /.exec(line) ?? [];
    if (mark !== undefined && name !== undefined) found.push({ name, mark, lines: [line] });
    else if (line.startsWith('  ')) found.at(-1)?.lines.push(line);
  }
  return [...new Map(found.map((one) => [one.name, one])).values()];
}

// When this file is cut off the suite is told to end, and ends its agents and programs.
const suite = spawnBound(process.execPath, [join(import.meta.dirname, 'main.ts')], {
  stdio: ['ignore', 'pipe', 'inherit'],
  atEnd: 'TERM',
});
let output = '';
suite.stdout?.on('data', (chunk: Buffer) => {
  output += chunk.toString();
});
const { code: exitCode } = await endOf(suite);
const told = tellings(output);

for (const { name, mark, lines } of told) {
  test(`truth: ${name}`, { skip: mark === '-' ? (lines[0] ?? '') : false }, () => {
    assert.equal(mark, '✔', lines.join('\n'));
  });
}

test('no row of any scenario is wrong, missing or invented', () => {
  const summary = JSON.parse(output.trim().split('\n').at(-1) ?? '') as Summary;
  const { scenarios, rows, wrong, missing, invented } = summary;
  // What the agents say that they missed, beside the sums: a missed call is no error of theirs.
  for (const line of output.split('\n')) if (line.startsWith('! ')) console.log(line);
  console.log(JSON.stringify(summary));
  assert.deepEqual(
    { exitCode, wrong, missing, invented },
    { exitCode: 0, wrong: 0, missing: 0, invented: 0 },
  );
  assert.ok(scenarios >= 40 && rows > 0, JSON.stringify(summary));
  assert.equal(scenarios, told.filter(({ mark }) => mark !== '-').length);
});
