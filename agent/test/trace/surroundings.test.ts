import assert from 'node:assert/strict';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { asCapability, type Need, surroundings } from '../../src/trace/surroundings.ts';
import { tempFolder } from '../support/temp-folder.ts';

const BPFFS = '/sys/fs/bpf';
const CGROUP2 = '41 31 0:38 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n';
const PTRACE_ONLY = 'CapEff:\t0000000000080000\n';
const ALL = 'CapEff:\t000001ffffffffff\n';

interface Change {
  readonly links?: Readonly<Record<string, string>>;
  readonly removed?: readonly string[];
  readonly status?: string;
  readonly mounts?: string;
  readonly notPinned?: string;
}

const missingOn = (t: TestContext, change?: Change): readonly string[] =>
  unmetOn(t, change).map(({ name }) => name);

/** /proc of a host where all is there, with changes. */
function unmetOn(t: TestContext, change: Change = {}): readonly Need[] {
  const proc = tempFolder(t);
  const put = (path: string, make: (file: string) => void): void => {
    mkdirSync(dirname(join(proc, path)), { recursive: true });
    make(join(proc, path));
  };
  const links = {
    pid: 'pid:[4026531836]',
    cgroup: 'cgroup:[4026531835]',
    time: 'time:[4026531834]',
    ...change.links,
  };
  for (const [kind, target] of Object.entries(links))
    put(`self/ns/${kind}`, (file) => symlinkSync(target, file));
  put('sys/net/core/netdev_budget', (file) => writeFileSync(file, '300\n'));
  put('self/status', (file) => writeFileSync(file, change.status ?? ALL));
  const mounts = change.mounts ?? `${CGROUP2}42 22 0:39 / ${BPFFS} rw - bpf bpf rw\n`;
  put('self/mountinfo', (file) => writeFileSync(file, mounts));
  for (const path of change.removed ?? []) rmSync(join(proc, path));
  return surroundings({ notPinned: change.notPinned ?? '' }, { proc, bpffs: BPFFS }).filter(
    ({ problem }) => problem !== '',
  );
}

test('on the host itself nothing is missing', (t) => {
  assert.deepEqual(missingOn(t), []);
});

test('each namespace that is not the host’s is missing by name', (t) => {
  for (const kind of ['pid', 'cgroup', 'time'])
    assert.deepEqual(missingOn(t, { links: { [kind]: `${kind}:[4026532001]` } }), [`host_${kind}_namespace`]);
  assert.deepEqual(missingOn(t, { removed: ['sys/net/core/netdev_budget'] }), ['host_network_namespace']);
});

test('a kernel without a kind of namespace has everything in the host’s', (t) => {
  assert.deepEqual(missingOn(t, { removed: ['self/ns/time', 'self/ns/cgroup'] }), []);
});

test('without the root of the cgroup2 tree it is missing', (t) => {
  assert.deepEqual(missingOn(t, { mounts: `42 22 0:39 / ${BPFFS} rw - bpf bpf rw\n` }), ['cgroup2']);
});

test('the remedy covers no tree of version 1', (t) => {
  const remedyOn = (mounts: string): string | undefined => unmetOn(t, { mounts })[0]?.remedy;
  const bpffs = `42 22 0:39 / ${BPFFS} rw - bpf bpf rw\n`;
  assert.match(remedyOn(bpffs) ?? '', /mount -t cgroup2 none \/sys\/fs\/cgroup\)/);
  const version1 = '43 31 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n';
  assert.match(remedyOn(bpffs + version1) ?? '', /mount -t cgroup2 none \/sys\/fs\/cgroup\/unified\)/);
});

test('a bpffs that is not mounted is missing to an agent that may not mount it, or tried in vain', (t) => {
  assert.deepEqual(missingOn(t, { mounts: CGROUP2 }), []);
  assert.deepEqual(missingOn(t, { mounts: CGROUP2, status: PTRACE_ONLY }), ['bpffs']);
  assert.deepEqual(missingOn(t, { notPinned: 'cannot mount bpffs' }), ['bpffs']);
  assert.deepEqual(missingOn(t, { status: PTRACE_ONLY }), []);
});

test('CAP_SYS_PTRACE is missing where it is not in effect', (t) => {
  assert.deepEqual(missingOn(t, { status: 'CapEff:\t000000c000000000\n' }), ['cap_sys_ptrace']);
});

test('each need says what it costs and what to do, and heartbeats say so like a program', () => {
  for (const need of surroundings({}, { proc: '/nowhere' })) {
    for (const text of [need.name, need.cost, need.remedy]) assert.match(text, /^[^\n]+$/);
    const { program, attached, error, cost } = asCapability({ ...need, problem: 'it is not there' });
    assert.deepEqual([program, attached, cost], [need.name, false, need.cost]);
    assert.equal(error, `it is not there; ${need.remedy}`);
    assert.deepEqual(asCapability({ ...need, problem: '' }), { program, attached: true, error: '', cost });
  }
});
