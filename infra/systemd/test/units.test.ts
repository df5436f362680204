import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { AGENT_CONFIG } from '@tcptrail/agent/config.ts';
import { AGENT_ERRORS } from '@tcptrail/agent/errors.ts';
import { configError } from '@tcptrail/config/errors.ts';
import { folder, installs, unit } from './unit.ts';

const agent = unit('tcptrail-agent.service');
const consumer = unit('tcptrail-consumer.service');
const defaults = AGENT_CONFIG.parse({});

test('the agent is started again after every end but those that a start cannot mend', () => {
  assert.deepEqual(agent.get('Service.Restart'), ['always']);
  assert.deepEqual(agent.get('Unit.StartLimitIntervalSec'), ['0']);
  const left = agent.get('Service.RestartPreventExitStatus')?.[0]?.split(' ').map(Number);
  const codes = new Set([
    ...Object.values(AGENT_ERRORS).map(({ exitCode }) => exitCode),
    configError('CONFIG_MISSING', ['']).exitCode,
  ]);
  codes.delete(1);
  assert.deepEqual(left, [...codes].sort());
});

test('a stop is a SIGTERM that leaves time to send, a reload is a check, then a SIGHUP', () => {
  assert.deepEqual(agent.get('Service.KillSignal'), ['SIGTERM']);
  assert.ok(Number(agent.get('Service.TimeoutStopSec')) * 1_000 > 2 * defaults.publish.stopWaitMsMax);
  const [start = ''] = agent.get('Service.ExecStart') ?? [];
  assert.deepEqual(agent.get('Service.ExecReload'), [`${start} --check`, '/bin/kill -HUP $MAINPID']);
});

test('the user is the one that the agent becomes, and the consumer is', () => {
  const { user } = defaults.privilege;
  assert.match(readFileSync(join(folder, 'tcptrail.sysusers'), 'utf8'), new RegExp(`^u ${user} - `, 'm'));
  assert.deepEqual(consumer.get('Service.User'), [user]);
  assert.equal(agent.get('Service.User'), undefined);
});

test('the agent waits for its spool and the bpffs, and sees the mounts and processes of the host', () => {
  assert.deepEqual(agent.get('Unit.RequiresMountsFor'), [`/sys/fs/bpf ${defaults.spool.path}`]);
  const own =
    /^Service\.(Protect|Private|ReadOnly|ReadWrite|Inaccessible|Temporary|Bind|Root|Mount|State|User$)/;
  assert.deepEqual(
    [...agent.keys()].filter((key) => own.test(key)),
    [],
  );
});

test('the README names every file here and every exit code', () => {
  const readme = readFileSync(join(folder, 'README.md'), 'utf8');
  for (const name of readdirSync(folder).filter((file) => !/README|test/.test(file)))
    assert.ok(readme.includes(name.endsWith('.service') ? name.replace('.service', '') : name), name);
  assert.ok(readme.includes(defaults.guest.disabledFile));
});

test('what systemd says of the units is nothing', { skip: installs.skip }, () => {
  for (const name of ['tcptrail-agent.service', 'tcptrail-consumer.service'])
    assert.equal(installs.verify(name), '');
});

test('systemd-analyze sees a key that there is not', { skip: installs.skip }, () => {
  assert.match(installs.verify('tcptrail-agent.service', 'Restrat=always\n'), /Restrat/);
});
