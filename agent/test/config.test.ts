import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { keysOf } from '@tcptrail/config/keys.ts';
import { loadConfig } from '@tcptrail/config/load.ts';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { AGENT_CONFIG, type AgentConfig } from '../src/config.ts';
import { tempFolder } from './support/temp-folder.ts';

function fileWith(t: TestContext, yaml: string): string {
  const file = join(tempFolder(t), 'agent.yaml');
  writeFileSync(file, yaml);
  return file;
}

function load(options: {
  readonly file: string;
  readonly env?: Readonly<Record<string, string>>;
}): AgentConfig {
  return loadConfig(AGENT_CONFIG, { part: 'agent', env: {}, ...options });
}

function refusal(attempt: () => unknown): AppError {
  try {
    attempt();
  } catch (error) {
    assert.ok(error instanceof AppError);
    return error;
  }
  throw new assert.AssertionError({ message: 'the configuration was accepted' });
}

test('an empty file gives the defaults', (t) => {
  const config = load({ file: fileWith(t, '') });
  assert.equal(config.spool.path, '/var/spool/tcptrail');
  assert.equal(config.batch.flushMs, 500);
  assert.equal(config.metrics.port, 9480);
  assert.equal(config.process.commandLine, false);
});

test('the environment stands over the file, and the file over the defaults', (t) => {
  const file = fileWith(t, 'spool:\n  path: /a\n  fsyncMs: 7\nlabels: {zone: north}\n');
  const config = load({
    file,
    env: { TCPTRAIL_SPOOL_PATH: '/b', TCPTRAIL_PROCESS_COMMAND_LINE: 'true' },
  });
  assert.deepEqual(
    [config.spool.path, config.spool.fsyncMs, config.labels.zone, config.process.commandLine],
    ['/b', 7, 'north', true],
  );
});

test('every key has one environment variable, words parted by underscores', () => {
  const keys = new Map(keysOf(AGENT_CONFIG).map(({ variable, name }) => [variable, name]));
  assert.equal(keys.get('TCPTRAIL_BATCH_ROWS_MAX'), 'batch.rowsMax');
  assert.equal(keys.get('TCPTRAIL_HOST_ID'), 'hostId');
  assert.equal(keys.size, keysOf(AGENT_CONFIG).length);
});

test('variables of other parts are left alone', (t) => {
  assert.doesNotThrow(() => load({ file: fileWith(t, ''), env: { TCPTRAIL_DATA: 'x' } }));
});

test('an unknown key is refused by name, file and what is known there', (t) => {
  const file = fileWith(t, 'spool:\n  pth: /a\n');
  const error = refusal(() => load({ file }));
  assert.equal(error.code, 'CONFIG_UNKNOWN_KEY');
  assert.equal(error.exitCode, 2);
  assert.match(error.message, /spool\.pth/);
  assert.ok(error.message.includes(file));
  assert.match(error.message, /segmentBytes/);
});

test('a value out of range is refused under the name it was given by', (t) => {
  const file = fileWith(t, 'ring: {lifecycleBytes: 100000}');
  assert.match(refusal(() => load({ file })).message, /ring\.lifecycleBytes .* power of two/);
  const env = { TCPTRAIL_METRICS_PORT: '70000' };
  assert.match(refusal(() => load({ file: fileWith(t, ''), env })).message, /TCPTRAIL_METRICS_PORT/);
  const word = { TCPTRAIL_METRICS_PORT: 'many' };
  assert.match(
    refusal(() => load({ file: fileWith(t, ''), env: word })).message,
    /TCPTRAIL_METRICS_PORT is "many"; give a whole number/,
  );
});

test('a named file that is missing is refused', (t) => {
  const missing = join(tempFolder(t), 'none.yaml');
  const error = refusal(() => load({ file: missing }));
  assert.deepEqual([error.code, error.exitCode], ['CONFIG_MISSING', 2]);
});

test('broken YAML is refused with its line', (t) => {
  const error = refusal(() => load({ file: fileWith(t, 'spool:\n  path: [') }));
  assert.equal(error.code, 'CONFIG_SYNTAX');
  assert.match(error.message, /line 2/);
});

test('a backlog that would never be caught up is refused', (t) => {
  const file = fileWith(t, '');
  for (const speed of ['1', '0.5']) {
    const { message } = refusal(() => load({ file, env: { TCPTRAIL_PUBLISH_REPLAY_SPEED_MAX: speed } }));
    assert.match(message, /TCPTRAIL_PUBLISH_REPLAY_SPEED_MAX is .*; it must be 0 or more than 1/);
  }
  for (const speed of ['0', '1.5']) load({ file, env: { TCPTRAIL_PUBLISH_REPLAY_SPEED_MAX: speed } });
});

test('a window that a heartbeat would cut is refused where connections are folded', (t) => {
  const of = (fold: string) => load({ file: fileWith(t, `batch: {heartbeatMs: 5000}\nfold: {${fold}}`) });
  const { message } = refusal(() => of('enabled: true, windowMs: 5001'));
  assert.match(message, /fold\.windowMs .*5001; it must not be above batch\.heartbeatMs/);
  assert.equal(of('enabled: true, windowMs: 5000').fold.windowMs, 5_000);
  assert.equal(of('windowMs: 5001').fold.windowMs, 5_001);
});

test('the fleet profile folds and updates every 5 minutes, unless the file says otherwise', (t) => {
  const of = (yaml: string) => {
    const { fold, events } = load({ file: fileWith(t, yaml) });
    return [fold.enabled, fold.windowMs, events.updateMs];
  };
  assert.deepEqual(of(''), [false, 10_000, 60_000]);
  assert.deepEqual(of('profile: fleet'), [true, 10_000, 300_000]);
  assert.deepEqual(of('profile: fleet\nfold: {enabled: false}\nevents: {updateMs: 5}'), [false, 10_000, 5]);
});

test('folding is refused where each connection has an open of its own', (t) => {
  const { message } = refusal(() => load({ file: fileWith(t, 'profile: fleet\nevents: {openHoldMs: 0}') }));
  assert.match(
    message,
    /events\.openHoldMs in .* is 0; it must be 1 or more .*; or set fold\.enabled to false/,
  );
});

test('metrics are served on loopback alone', (t) => {
  const of = (host: string) => load({ file: fileWith(t, `metrics: {host: "${host}"}`) }).metrics.host;
  for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost']) assert.equal(of(host), host);
  for (const host of ['0.0.0.0', '::', '10.0.0.1', 'host.example', '127.0.0.1.example'])
    assert.match(
      refusal(() => of(host)).message,
      /metrics\.host in .*; give .*127\.0\.0\.1, ::1 or localhost/,
    );
});

test('a filter needs a name of its own and a condition', (t) => {
  const said = (filters: string): string =>
    refusal(() => load({ file: fileWith(t, `filters: ${filters}`) })).message;
  assert.match(
    said('[{name: a}]'),
    /filters\.0 .* must have a condition: one of ports, peers, uids, cgroups/,
  );
  assert.match(said('[{ports: [1]}]'), /filters\.0\.name .* has no value; give 1 to 32/);
  assert.match(
    said('[{name: budget-updates, ports: [1]}]'),
    /must not be fold, nor begin with budget- or ceiling-/,
  );
  assert.match(said('[{name: a, ports: [1]}, {name: a, ports: [2]}]'), /must have names that differ/);
  assert.match(
    said('[{name: a, ports: [70000]}]'),
    /filters\.0\.ports\.0 in .* is 70000; give a whole number from 1 to 65535$/,
  );
  assert.match(
    said('[{name: a, ports: []}]'),
    /filters\.0\.ports .*; give a list of at least 1, each a whole/,
  );
  assert.match(said('[{name: a, peers: [10.0.0.0/33]}]'), /10\.0\.0\.0\/33.* as 10\.0\.0\.0\/8/);
  const { filters } = load({ file: fileWith(t, 'filters: [{name: a, cgroups: [/x], uids: [0]}]') });
  assert.deepEqual(filters, [{ name: 'a', cgroups: ['/x'], uids: [0] }]);
});
