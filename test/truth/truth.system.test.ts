/** The truth suite as tests, one a scenario; `make test-truth` runs it by itself. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';

interface Told {
  readonly name: string;
  readonly mark: string;
  readonly lines: readonly string[];
}

/**
 * A scenario's line begins with a mark and its name; what is wrong with it stands indented below. Of one that was played
 * again, as the host had kept the programs away, the last counts.
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

const suite = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
let output = '';
suite.stdout.on('data', (chunk: Buffer) => {
  output += chunk.toString();
});
const [exitCode] = (await once(suite, 'close')) as [number | null];
const told = tellings(output);

for (const { name, mark, lines } of told) {
  test(`truth: ${name}`, { skip: mark === '-' ? (lines[0] ?? '') : false }, () => {
    assert.equal(mark, '✔', lines.join('\n'));
  });
}

test('no row of any scenario is wrong, missing or invented', () => {
  const summary = JSON.parse(output.trim().split('\n').at(-1) ?? '') as Record<string, number>;
  const { scenarios = 0, rows = 0, wrong, missing, invented } = summary;
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
