import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cgroupFacts, cgroupPath } from '../../src/enrich/cgroup.ts';

const ID = '0123456789abcdef'.repeat(4);
const UID = '0a1b2c3d-1111-2222-3333-444455556666';
const SLICE_UID = UID.replaceAll('-', '_');

/** Path, container id, pod uid, unit. */
const VECTORS: readonly (readonly [string, string, string, string, string])[] = [
  ['docker, systemd driver', `/system.slice/docker-${ID}.scope`, ID, '', 'system.slice'],
  ['docker, cgroupfs driver', `/docker/${ID}`, ID, '', ''],
  [
    'podman, rootless',
    `/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${ID}.scope/container`,
    ID,
    '',
    'user@1000.service',
  ],
  ['podman, monitor', `/machine.slice/libpod-conmon-${ID}.scope`, '', '', `libpod-conmon-${ID}.scope`],
  [
    'containerd under Kubernetes, systemd driver',
    `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${SLICE_UID}.slice/cri-containerd-${ID}.scope`,
    ID,
    UID,
    'kubepods-burstable.slice',
  ],
  ['containerd under Kubernetes, cgroupfs driver', `/kubepods/besteffort/pod${UID}/${ID}`, ID, UID, ''],
  [
    'containerd under Kubernetes, nested names',
    `/system.slice/containerd.service/kubepods-pod${SLICE_UID}.slice:cri-containerd:${ID}`,
    ID,
    '',
    'containerd.service',
  ],
  ['cri-o', `/kubepods.slice/kubepods-pod${SLICE_UID}.slice/crio-${ID}.scope`, ID, UID, 'kubepods.slice'],
  ['static pod, uid is a hash', `/kubepods/pod${'ab'.repeat(16)}/${ID}`, ID, 'ab'.repeat(16), ''],
  ['a service', '/system.slice/ssh.service', '', '', 'ssh.service'],
  ['a session', '/user.slice/user-1000.slice/session-3.scope', '', '', 'session-3.scope'],
  ['a slice alone', '/user.slice', '', '', 'user.slice'],
  ['the root', '/', '', '', ''],
  ['something short that looks like hex', '/abcdef0123456789', '', '', ''],
];

for (const [name, path, containerId, podUid, unit] of VECTORS) {
  test(`${name}: container, pod and unit out of the path`, () => {
    assert.deepEqual(cgroupFacts(path), { container_id: containerId, pod_uid: podUid, systemd_unit: unit });
  });
}

test('the v2 path wins where processes live in v2', () => {
  assert.equal(cgroupPath('0::/system.slice/ssh.service\n'), '/system.slice/ssh.service');
  assert.equal(cgroupPath('4:memory:/m\n0::/a\n'), '/a');
});

test('the systemd hierarchy speaks where v2 says only /', () => {
  const text = '9:memory:/docker/x\n1:name=systemd:/system.slice/ssh.service\n0::/\n';
  assert.equal(cgroupPath(text), '/system.slice/ssh.service');
});

test('any other hierarchy speaks where systemd says only / too', () => {
  assert.equal(cgroupPath('9:name=systemd:/\n4:memory:/docker/x\n0::/\n'), '/docker/x');
});

test('a process in the root has the path /, one that is gone has none', () => {
  assert.equal(cgroupPath('0::/\n'), '/');
  assert.equal(cgroupPath(''), '');
});
