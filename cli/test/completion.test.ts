import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { completion } from '../src/completion.ts';
import { createProgram } from '../src/program.ts';

/** What bash would offer for `words`, of which the last is being typed. */
function offered(...words: readonly string[]): readonly string[] {
  const script = `${completion('bash', createProgram())}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}
_tcptrail; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout.trim().split('\n');
}

test('bash offers the commands', () => {
  assert.deepEqual(offered('tcptrail', 'u'), ['up', 'uninstall']);
});

test("bash offers a command's options and the values of one", () => {
  assert.ok(offered('tcptrail', 'tail', '--p').includes('--peer'));
  assert.deepEqual(offered('tcptrail', 'tail', '--verdict', 'closed_'), [
    'closed_local',
    'closed_peer',
    'closed_both',
  ]);
});

test('bash offers the commands of a command, and their options', () => {
  assert.deepEqual(offered('tcptrail', 'topic', 'd'), ['describe']);
  assert.deepEqual(offered('tcptrail', 'topic', 'create', '--b'), ['--brokers']);
  assert.deepEqual(offered('tcptrail', 'topic', 'create', '--j'), ['']);
});

test('bash offers the commands of spool, and folders for its path', () => {
  assert.deepEqual(offered('tcptrail', 'spool', 'c'), ['cat']);
  assert.deepEqual(offered('tcptrail', 'spool', 'verify', '--j'), ['--json']);
  assert.match(completion('bash', createProgram()), /--home\|--path\) compopt/);
});

test('bash offers the names of questions', () => {
  assert.deepEqual(offered('tcptrail', 'ask', 'who-'), ['who-talked-to', 'who-talked-to-network']);
  assert.deepEqual(offered('tcptrail', 'ask', 'top-talkers', '--format', 'p'), ['parquet']);
});

test('bash offers the shells of completion', () => {
  assert.deepEqual(offered('tcptrail', 'completion', 'z'), ['zsh']);
});

test('the zsh script names every command with its summary', () => {
  const script = completion('zsh', createProgram());
  for (const command of createProgram().commands) assert.ok(script.includes(`'${command.name()}:`));
  assert.ok(script.includes("'describe:partitions, "));
  assert.ok(script.startsWith('#compdef tcptrail\n'));
});

test('another shell is wrong usage', () => {
  assert.throws(
    () => completion('fish', createProgram()),
    (error) => error instanceof AppError && error.exitCode === 2,
  );
});
