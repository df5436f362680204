import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { test } from 'node:test';

const MODULE = new URL('../../src/supervise/ending.ts', import.meta.url).href;
/** Says what becomes of the signals that it gets, on a stream that outlives its terminal. */
const SCRIPT = `
const { createEnding } = await import(${JSON.stringify(MODULE)});
const { writeSync } = await import('node:fs');
const say = (text) => writeSync(3, text + '\\n');
const ending = createEnding({ onReload: () => say('reload') });
ending.signal.addEventListener('abort', () => { say('end'); process.exit(); });
setInterval(() => {}, 1_000);
say('pid ' + process.pid);
`;
/** Runs the script on a terminal of its own, which is closed when a line comes in. */
const ON_TERMINAL = `
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0: os.execv(sys.argv[1], [sys.argv[1], '--input-type=module', '-e', sys.argv[2]])
sys.stdin.readline()
os.close(terminal)
os.waitpid(pid, 0)
`;

function start(command: readonly string[]) {
  const [file = '', ...args] = command;
  const child = spawn(file, args, { stdio: ['pipe', 'ignore', 'inherit', 'pipe'] });
  const lines = createInterface({ input: child.stdio[3] as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  return { child, line: async (): Promise<string> => (await lines.next()).value ?? '' };
}
const pidOf = (line: string): number => Number(line.replace('pid ', ''));

test('SIGHUP asks for a reload while the terminal is there, and ends when it went away', async () => {
  const { child, line } = start(['python3', '-c', ON_TERMINAL, process.execPath, SCRIPT]);
  const pid = pidOf(await line());
  process.kill(pid, 'SIGHUP');
  assert.equal(await line(), 'reload');
  child.stdin?.write('close\n');
  assert.equal(await line(), 'end');
});

test('without a terminal SIGHUP is a reload, and SIGTERM the end', async () => {
  const { line } = start(['setsid', process.execPath, '--input-type=module', '-e', SCRIPT]);
  const pid = pidOf(await line());
  process.kill(pid, 'SIGHUP');
  assert.equal(await line(), 'reload');
  process.kill(pid, 'SIGTERM');
  assert.equal(await line(), 'end');
});
