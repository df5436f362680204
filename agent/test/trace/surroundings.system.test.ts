import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { needsRoot } from '../support/needs-root.ts';

const MODULE = new URL('../../src/trace/surroundings.ts', import.meta.url);
const SAY = `
const { surroundings } = await import(${JSON.stringify(MODULE.href)});
console.log(JSON.stringify(surroundings().filter((need) => need.problem !== '').map((need) => need.name)));
`;

/** Names of what is missing to a process that `wrapper` starts, beside what this machine lacks anyway. */
function missingUnder(...wrapper: readonly string[]): readonly string[] {
  const say = [process.execPath, '--input-type=module', '-e', SAY];
  const missing = (command: readonly string[]): string[] => {
    const ended = spawnSync(command[0] ?? '', command.slice(1), { encoding: 'utf8' });
    assert.equal(ended.status, 0, ended.stderr);
    return JSON.parse(ended.stdout);
  };
  const anyway = missing(say);
  return missing([...wrapper, ...say]).filter((name) => !anyway.includes(name));
}

for (const [kind, option] of [
  ['network', '--net'],
  ['cgroup', '--cgroup'],
  ['time', '--time'],
] as const) {
  test(`a ${kind} namespace of its own is found`, needsRoot, () => {
    assert.deepEqual(missingUnder('unshare', option, '--fork'), [`host_${kind}_namespace`]);
  });
}

test('a pid namespace of its own is found', needsRoot, () => {
  assert.deepEqual(missingUnder('unshare', '--pid', '--fork', '--mount-proc'), ['host_pid_namespace']);
});

test('mounts and capabilities that a container lacks are found', needsRoot, () => {
  const unmount = 'umount --all --types cgroup2,bpf && exec setpriv --bounding-set=-all --inh-caps=-all "$@"';
  const missing = missingUnder('unshare', '--mount', 'sh', '-c', unmount, 'sh');
  assert.deepEqual(missing, ['cgroup2', 'bpffs', 'cap_sys_ptrace']);
});
