import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBook, whole } from './book.ts';
import { closeRow } from './connection-rows.ts';
import type { Process } from './reply.ts';
import { resetRow } from './reset-rows.ts';
import type { Life } from './socket.ts';

const NAMESPACE = 7;
const maker: Process = {
  pid: 5,
  parent: 1,
  uid: 0,
  start_ticks: 1,
  comm: 'actor',
  cgroups: '',
  executable: '/actor',
  parent_executable: '/suite',
  network_namespace: NAMESPACE,
  cgroup_path: '',
  cgroup_id: 0,
};
const life: Life = {
  role: 'client',
  generation: 1,
  family: 'ipv4',
  cookie: 9,
  maker,
  opener: maker,
  start: { before: 100, after: 200 },
  established: { before: 100, after: 200 },
  born: undefined,
  readings: [],
  local: { address: '127.0.0.1', port: 1_000 },
  peer: { address: '127.0.0.1', port: 2_000 },
  sent: 0,
  received: 0,
  firstIo: undefined,
  closer: maker,
  end: { before: 300, after: 400 },
  info: undefined,
  congestionControl: undefined,
};

const lateResets = (resetsSent: number) => {
  const book = createBook();
  book.ended(whole(closeRow), life, { isWhole: true, isAtCall: true });
  book.ended((ended) => [resetRow(ended, 'sent')], life, { isWhole: false });
  const rows = book.expectations({ endUs: 500, holdUs: 0, resetsSent: () => resetsSent });
  return rows.filter(({ kind, key }) => kind === 'reset' && key['socket_cookie'] === 0);
};

test('resets that meet no connection are as many as the kernel counted beyond those that had to come', () => {
  assert.deepEqual(
    [0, 1, 3].map((sent) => lateResets(sent).map(({ least, most }) => [least, most])),
    [[[0, 0]], [[0, 0]], [[0, 2]]],
  );
});

test('such a reset comes after the end of the connection began, and has no owner', () => {
  const [row] = lateResets(3);
  const { ts, pid } = row?.fields ?? {};
  assert.ok(typeof ts === 'object' && 'holds' in ts);
  assert.deepEqual(
    [300 - 501, 300, 500 + 501].map((at) => ts.holds(at, {})),
    [false, true, false],
  );
  assert.deepEqual([pid, row?.key['reset_reason']], [0, 'no_socket']);
});
