import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { environmentKeys, loadConfig } from '../src/config.ts';
import { tempFolder } from './support/temp-folder.ts';

function fileWith(t: TestContext, yaml: string): string {
  const file = join(tempFolder(t), 'agent.yaml');
  writeFileSync(file, yaml);
  return file;
}

function refusal(load: () => unknown): AppError {
  try {
    load();
  } catch (error) {
    assert.ok(error instanceof AppError);
    return error;
  }
  throw new assert.AssertionError({ message: 'the configuration was accepted' });
}

test('an empty file gives the defaults', (t) => {
  const config = loadConfig({ file: fileWith(t, '') });
  assert.equal(config.spool.path, '/var/spool/tcptrail');
  assert.equal(config.batch.flushMs, 500);
  assert.equal(config.metrics.port, 9480);
  assert.equal(config.process.commandLine, false);
});

test('the environment stands over the file, and the file over the defaults', (t) => {
  const file = fileWith(t, 'spool:\n  path: /a\n  fsyncMs: 7\nlabels: {zone: north}\n');
  const config = loadConfig({
    file,
    env: { TCPTRAIL_SPOOL_PATH: '/b', TCPTRAIL_PROCESS_COMMAND_LINE: 'true' },
  });
  assert.deepEqual(
    [config.spool.path, config.spool.fsyncMs, config.labels.zone, config.process.commandLine],
    ['/b', 7, 'north', true],
  );
});

test('every key has one environment variable, words parted by underscores', () => {
  const keys = environmentKeys();
  assert.deepEqual(keys.get('TCPTRAIL_BATCH_ROWS_MAX'), ['batch', 'rowsMax']);
  assert.deepEqual(keys.get('TCPTRAIL_HOST_ID'), ['hostId']);
  assert.equal(keys.size, 23);
});

test('variables of other parts are left alone', (t) => {
  assert.doesNotThrow(() => loadConfig({ file: fileWith(t, ''), env: { TCPTRAIL_DATA: 'x' } }));
});

test('an unknown key is refused by name, file and what is known there', (t) => {
  const file = fileWith(t, 'spool:\n  pth: /a\n');
  const error = refusal(() => loadConfig({ file }));
  assert.equal(error.code, 'AGENT_CONFIG_UNKNOWN_KEY');
  assert.equal(error.exitCode, 2);
  assert.match(error.message, /spool\.pth/);
  assert.ok(error.message.includes(file));
  assert.match(error.message, /segmentBytes/);
});

test('a value out of range is refused under the name it was given by', (t) => {
  const file = fileWith(t, 'ring: {lifecycleBytes: 100000}');
  assert.match(refusal(() => loadConfig({ file })).message, /ring\.lifecycleBytes .* power of two/);
  const env = { TCPTRAIL_METRICS_PORT: '70000' };
  assert.match(refusal(() => loadConfig({ file: fileWith(t, ''), env })).message, /TCPTRAIL_METRICS_PORT/);
  const word = { TCPTRAIL_METRICS_PORT: 'many' };
  assert.match(
    refusal(() => loadConfig({ file: fileWith(t, ''), env: word })).message,
    /"many" is not a whole number/,
  );
});

test('a named file that is missing is refused, the default one is not needed', (t) => {
  const missing = join(tempFolder(t), 'none.yaml');
  const error = refusal(() => loadConfig({ file: missing }));
  assert.deepEqual([error.code, error.exitCode], ['AGENT_CONFIG_MISSING', 2]);
});

test('broken YAML is refused with its line', (t) => {
  const error = refusal(() => loadConfig({ file: fileWith(t, 'spool:\n  path: [') }));
  assert.equal(error.code, 'AGENT_CONFIG_SYNTAX');
  assert.match(error.message, /line 2/);
});
