import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { AppError } from '@tcptrail/schemas/app-error.ts';
import { ROOT } from '../../src/supervise/account.ts';
import type { Backoff } from '../../src/supervise/backoff.ts';
import { type Child, createChild } from '../../src/supervise/child.ts';
import { createLogFile } from '../../src/supervise/log-file.ts';
import { isAlive } from '../../src/supervise/process-info.ts';
import { until } from '../until.ts';

const folder = mkdtempSync(join(tmpdir(), 'tcptrail-child-'));
const children: Child[] = [];
let programs = 0;
after(async () => {
  for (const child of children) await child.stop(1_000);
  rmSync(folder, { recursive: true });
});

interface Made {
  readonly child: Child;
  readonly deaths: readonly string[];
  readonly givenUp: readonly AppError[];
  readonly log: () => string;
}

/** A part that runs `script`; `tries` starts again without waiting. */
function made(script: string, tries = 0): Made {
  const program = join(folder, `${++programs}.mjs`);
  writeFileSync(program, script);
  const deaths: string[] = [];
  const givenUp: AppError[] = [];
  const log = createLogFile(`${program}.log`);
  let left = tries;
  const backoff: Backoff = { deaths: tries, next: () => (left-- > 0 ? 0 : undefined) };
  const child = createChild(
    {
      name: 'the part',
      program,
      args: () => [],
      env: () => ({ PATH: process.env['PATH'] ?? '' }),
      account: ROOT,
      isReady: (line) => line === 'ready',
      readyMsMax: 30_000,
    },
    {
      log,
      backoff,
      onDeath: (reason) => deaths.push(reason),
      onBack: () => {},
      onGivenUp: (error) => givenUp.push(error),
      onProcess: () => {},
    },
  );
  children.push(child);
  return { child, deaths, givenUp, log: () => readFileSync(log.path, 'utf8') };
}

test('start resolves with the line that says it is ready; every line is in its log', async () => {
  const { child, log } = made("console.log('starting'); console.error('ready'); setInterval(() => {}, 1e6)");
  assert.equal(await child.start(), 'ready');
  assert.equal(log(), 'starting\nready\n');
  assert.equal(await child.stop(10_000), true);
});

test('an end before it is ready is an error with its last sentence and its log', async () => {
  const { child, deaths } = made("console.error('tcptrail part: no room; free some'); process.exit(1)");
  await assert.rejects(child.start(), /the part did not start: no room; free some; its log is .*\.log/);
  assert.deepEqual(deaths, []);
});

test('exit codes 2 and 3 of a part become those of the command', async () => {
  for (const code of [2, 3]) {
    const { child } = made(`process.exit(${code})`);
    await assert.rejects(child.start(), (error) => (error as AppError).exitCode === code);
  }
});

test('a part that dies again and again is given up with its reason', async () => {
  const { child, deaths, givenUp } = made(
    "console.log('ready'); setImmediate(() => { console.error('boom'); process.exit(1) })",
    2,
  );
  await child.start();
  await until('giving up', () => givenUp.length > 0);
  assert.deepEqual(deaths, ['boom', 'boom']);
  assert.match(
    givenUp[0]?.message ?? '',
    /the part ended 2 times in a row \(boom\), so everything was stopped/,
  );
});

test('a part that then refuses its configuration is not started again', async () => {
  const { child, deaths, givenUp } = made("console.log('ready'); setImmediate(() => process.exit(2))", 5);
  await child.start();
  await until('giving up', () => givenUp.length > 0);
  assert.deepEqual(deaths, []);
  assert.equal(givenUp[0]?.exitCode, 2);
});

test('a part that ignores SIGTERM is killed after its deadline, and that is told', async () => {
  const { child } = made("process.on('SIGTERM', () => {}); console.log('ready'); setInterval(() => {}, 1e6)");
  await child.start();
  const { process: name } = child;
  assert.equal(await child.stop(100), false);
  assert.ok(name && !isAlive(name));
});
