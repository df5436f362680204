import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const RUN = join(import.meta.dirname, '../run.ts');
const folder = mkdtempSync(join(tmpdir(), 'tcptrail-report-'));
after(() => rmSync(folder, { recursive: true }));

function file(name: string, body: string): string {
  const path = join(folder, name);
  writeFileSync(path, `import { test } from 'node:test';\n${body}\n`);
  return path;
}

/** As `make test` runs files. */
function runFiles(files: string[], env: NodeJS.ProcessEnv = {}): Promise<{ code: unknown; output: string }> {
  return new Promise((resolve) => {
    // Within a test of its own, node:test would run none.
    const options = { env: { ...process.env, NODE_TEST_CONTEXT: undefined, ...env } };
    execFile(process.execPath, [RUN, ...files], options, (error, output) =>
      resolve({ code: error?.code ?? 0, output }),
    );
  });
}

test('files that pass are one run: their tests by name, their counts summed up', async () => {
  const files = [file('one.ts', "test('one', () => {});"), file('two.ts', "test('two', () => {});")];
  const { code, output } = await runFiles(files);
  assert.equal(code, 0, output);
  assert.match(output, /✔ one/);
  assert.match(output, /✔ two/);
  assert.match(output, /ℹ tests 2\n.*\n.*pass 2\n.*fail 0\n/);
});

test('one test that fails fails the run, and the others still run', async () => {
  const files = [
    file('fails.ts', "test('fails', () => { throw new Error('as it should'); });"),
    file('passes.ts', "test('passes', () => {});"),
  ];
  const { code, output } = await runFiles(files);
  assert.equal(code, 1);
  assert.match(output, /as it should/);
  assert.match(output, /ℹ pass 1\n.*fail 1\n/);
});

test('at the deadline the files that still run are named and fail, though children hold their output', async (t) => {
  const pids = join(folder, 'pids');
  writeFileSync(pids, '');
  t.after(() => {
    for (const pid of readFileSync(pids, 'utf8').split('\n').filter(Boolean))
      process.kill(Number(pid), 'SIGKILL');
  });
  const hanging = `
    import { spawn } from 'node:child_process';
    import { appendFileSync } from 'node:fs';
    test('hangs', async () => {
      const child = spawn('sleep', ['600'], { stdio: 'inherit', detached: true });
      appendFileSync(${JSON.stringify(pids)}, child.pid + '\\n');
      await new Promise(() => setInterval(() => {}, 1000));
    });`;
  const files = [
    file('hangs-one.ts', hanging),
    file('hangs-two.ts', hanging),
    file('never-begun.ts', "test('never begun', () => {});"),
  ];
  const { code, output } = await runFiles(files, { TCPTRAIL_TEST_DEADLINE_MS: '3000' });
  assert.equal(code, 1);
  assert.match(output, /✖ .*hangs-one\.ts .*\n.*aborted due to timeout/);
  assert.match(output, /✖ .*hangs-two\.ts .*\n.*aborted due to timeout/);
  assert.match(output, /the deadline of the whole run passed/);
  assert.doesNotMatch(output, /never.begun/);
});

test('a file that does not end by itself fails at its own deadline, and the files after it still run', async () => {
  const lasting = `
    test('passes', () => {});
    setInterval(() => {}, 1000);`;
  const files = [
    file('lasts-one.ts', lasting),
    file('lasts-two.ts', lasting),
    file('begins-later.ts', "test('begun later', () => {});"),
  ];
  const { code, output } = await runFiles(files, { TCPTRAIL_TEST_FILE_MS: '3000' });
  assert.equal(code, 1);
  assert.match(output, /✖ .*lasts-one\.ts .*\n.*aborted due to timeout/);
  assert.match(output, /✖ .*lasts-two\.ts .*\n.*aborted due to timeout/);
  assert.match(output, /✔ begun later/);
  assert.doesNotMatch(output, /the deadline of the whole run passed/);
});
