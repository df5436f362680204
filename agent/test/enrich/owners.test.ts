import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UNKNOWN_OWNER } from '@tcptrail/schemas/batch.ts';
import { createOwners } from '../../src/enrich/owners.ts';
import type { ProcessFacts, ProcessKey } from '../../src/enrich/process.ts';
import { type RecordParts, ringOf } from '../support/ring-record.ts';

const FACTS: ProcessFacts = {
  executable: '/bin/a',
  command_line: '',
  parent_executable: '',
  cgroup_path: '/',
  container_id: '',
  pod_uid: '',
  systemd_unit: '',
  process_network_namespace: 1,
};

function ownersOf(config: { agentPid?: number; supervisorPid?: number; entriesMax?: number } = {}) {
  const asked: ProcessKey[] = [];
  const told: number[] = [];
  const owners = createOwners(
    { agentPid: 1, supervisorPid: 0, ...config },
    {
      facts: (key) => {
        asked.push(key);
        return FACTS;
      },
      clockOffsetUs: () => 1_000_000,
      onOwner: ({ pid }) => told.push(pid),
    },
  );
  const index = (record: RecordParts): number => {
    const ring = ringOf(record);
    return owners.indexOf(ring.words, ring.bytes, 0);
  };
  return { owners, asked, told, index };
}

const CURL: RecordParts = {
  pid: 42,
  startNs: 7_000_123n,
  uid: 1000,
  comm: 'curl',
  parentPid: 9,
  cgroupId: 0x1_0000_0002n,
  execId: 3,
};

test('an owner is named as the kernel wrote it, times in UTC', () => {
  const { owners, index, asked } = ownersOf();
  assert.equal(index(CURL), 1);
  assert.deepEqual(asked, [
    { pid: 42, startNs: 7_000_123n, execId: 3, comm: 'curl', parentPid: 9, cgroupId: 0x1_0000_0002 },
  ]);
  assert.deepEqual(owners.take(), [
    UNKNOWN_OWNER,
    {
      pid: 42,
      process_start_ts: 1_007_000,
      uid: 1000,
      comm: 'curl',
      parent_pid: 9,
      cgroup_id: 0x1_0000_0002,
      ...FACTS,
    },
  ]);
});

test('each owner stands once in a batch, and is asked for once in its life', () => {
  const { owners, index, asked } = ownersOf();
  assert.deepEqual([index(CURL), index({ ...CURL, pid: 43 }), index(CURL)], [1, 2, 1]);
  assert.equal(owners.take().length, 3);
  assert.equal(index({ ...CURL, pid: 43 }), 1);
  assert.equal(owners.take().length, 2);
  assert.equal(asked.length, 2);
});

for (const change of [
  { startNs: 8n },
  { uid: 0 },
  { comm: 'wget' },
  { cgroupId: 3n },
  { parentPid: 1 },
] as const) {
  test(`another ${Object.keys(change)[0]} is another owner`, () => {
    const { index } = ownersOf();
    assert.deepEqual([index(CURL), index({ ...CURL, ...change })], [1, 2]);
  });
}

test('each owner is told once a batch', () => {
  const { owners, index, told } = ownersOf();
  for (const pid of [42, 43, 42]) index({ ...CURL, pid });
  owners.take();
  index(CURL);
  index({});
  assert.deepEqual(told, [42, 43, 42]);
});

test('an owner that is not known is index 0', () => {
  const { owners, index, asked } = ownersOf();
  assert.equal(index({}), 0);
  assert.equal(asked.length, 0);
  assert.deepEqual(owners.take(), [UNKNOWN_OWNER]);
});

test('without a process, what the socket says of user and cgroup stays', () => {
  const { owners, index } = ownersOf();
  assert.equal(index({ uid: 33, cgroupId: 5n }), 1);
  assert.deepEqual([owners.take()[1]?.uid], [33]);
});

test('own are the agent, the supervisor and its children', () => {
  const { owners, index } = ownersOf({ agentPid: 100, supervisorPid: 50 });
  const own = (record: RecordParts): boolean => {
    index(record);
    return owners.own;
  };
  assert.equal(own({ ...CURL, pid: 100 }), true);
  assert.equal(own({ ...CURL, pid: 50 }), true);
  assert.equal(own({ ...CURL, pid: 101, parentPid: 50 }), true);
  assert.equal(own(CURL), false);
  assert.equal(own({}), false);
});

test('what is remembered is bounded and starts over without mixing owners up', () => {
  const { owners, index } = ownersOf({ entriesMax: 2 });
  for (let pid = 1; pid <= 50; pid++) index({ ...CURL, pid });
  const taken = owners.take();
  assert.deepEqual(
    taken.map((owner) => owner.pid),
    [0, ...Array.from({ length: 50 }, (_, i) => i + 1)],
  );
});

test('processes of one program are known as that, also when the owners were forgotten meanwhile', () => {
  const { owners } = ownersOf({ entriesMax: 4 });
  const programOf = (record: RecordParts): number => {
    const ring = ringOf(record);
    return owners.find(ring.words, ring.bytes, 0).program;
  };
  const program = programOf(CURL);
  for (let pid = 1_000; pid < 1_050; pid++) assert.equal(programOf({ ...CURL, pid }), program);
  assert.equal(programOf(CURL), program);
  assert.notEqual(programOf({ ...CURL, uid: 7_777 }), program);
  assert.notEqual(programOf({ ...CURL, comm: 'wget' }), program);
});
