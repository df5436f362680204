import assert from 'node:assert/strict';
import { test } from 'node:test';
import { surroundingChecks } from '../../src/doctor/host.ts';

const need = (name: string, problem = '') => ({ name, problem, cost: 'names of owners', remedy: 'share it' });

test('what is missing around the agent is a warning with its cost and its remedy', () => {
  const checks = surroundingChecks([
    need('host_pid_namespace', 'the agent runs in a pid namespace of its own'),
    need('cap_sys_ptrace', 'the agent lacks it'),
  ]);
  assert.deepEqual(checks, [
    {
      name: 'host pid namespace',
      status: 'warn',
      found: 'the agent runs in a pid namespace of its own, which costs: names of owners',
      remedy: 'share it',
    },
    {
      name: 'CAP_SYS_PTRACE',
      status: 'warn',
      found: 'the agent lacks it, which costs: names of owners',
      remedy: 'share it',
    },
  ]);
});

test('what is there is one line', () => {
  const [first, ...others] = surroundingChecks([
    need('host_pid_namespace'),
    need('cgroup2'),
    need('x', 'gone'),
  ]);
  assert.deepEqual(first, {
    name: 'surroundings',
    status: 'ok',
    found: 'host pid namespace, cgroup2',
    remedy: '',
  });
  assert.deepEqual(
    others.map(({ status }) => status),
    ['warn'],
  );
});
