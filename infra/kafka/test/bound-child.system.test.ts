import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';

const MODULE = join(import.meta.dirname, '../src/bound-child.ts');

/** A process that binds a shell to itself; the shell says `ready`, and `asked` when it gets SIGTERM. */
function bind(atEnd: 'KILL' | 'TERM') {
  const shell = "trap 'echo asked; exit' TERM; echo ready; while :; do sleep 0.05; done";
  const script = `
    import { spawnBound } from ${JSON.stringify(MODULE)};
    const child = spawnBound('sh', ['-c', ${JSON.stringify(shell)}], { stdio: ['ignore', 1, 2], atEnd: '${atEnd}' });
    await new Promise((resolve) => child.once('close', resolve));`;
  return spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

for (const [atEnd, last] of [
  ['KILL', ['ready']],
  ['TERM', ['ready', 'asked']],
] as const)
  test(`a bound child gets ${atEnd} when its parent is killed`, { timeout: 60_000 }, async (t) => {
    const parent = bind(atEnd);
    t.after(() => parent.kill('SIGKILL'));
    const lines: string[] = [];
    const output = createInterface({ input: parent.stdout });
    const end = once(output, 'close');
    output.on('line', (line) => {
      lines.push(line);
      parent.kill('SIGKILL');
    });
    // The child holds the output too: it ends when both are gone.
    await end;
    assert.deepEqual(lines, last);
  });
