import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cgroup2Root, isMounted, parseMounts } from '../../src/trace/mounts.ts';

const HYBRID = `22 1 0:20 / / rw,relatime shared:1 - ext4 /dev/vda rw
31 22 0:30 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
42 22 0:39 / /sys/fs/bpf rw,relatime - bpf bpf rw
`;

test('the root of the cgroup2 tree is found beside version 1, and where it is alone', () => {
  assert.equal(cgroup2Root(HYBRID), '/sys/fs/cgroup/unified');
  const unified = '35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n';
  assert.equal(cgroup2Root(unified), '/sys/fs/cgroup');
});

test('a branch of the cgroup2 tree is not its root', () => {
  const branch = '35 24 0:30 /system.slice/x.service /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n';
  assert.equal(cgroup2Root(branch), undefined);
  assert.equal(cgroup2Root(branch + HYBRID), '/sys/fs/cgroup/unified');
  assert.equal(cgroup2Root(''), undefined);
});

test('what is mounted over a path hides what was', () => {
  const wanted = { type: 'bpf', path: '/sys/fs/bpf' };
  assert.equal(isMounted(HYBRID, wanted), true);
  assert.equal(isMounted(`${HYBRID}43 42 0:40 / /sys/fs/bpf rw - tmpfs tmpfs rw\n`, wanted), false);
  assert.equal(isMounted(HYBRID, { ...wanted, path: '/sys/fs' }), false);
});

test('blanks in paths are read as such', () => {
  const [mount] = parseMounts('50 22 0:41 / /mnt/two\\040words\\011x rw - tmpfs tmpfs rw\n');
  assert.deepEqual(mount, { root: '/', path: '/mnt/two words\tx', type: 'tmpfs' });
});
