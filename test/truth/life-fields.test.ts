import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describe, holds } from './check.ts';
import { lifeFields } from './life-fields.ts';
import type { Life } from './socket.ts';

const PROCESS = {
  pid: 3,
  parent: 1,
  uid: 0,
  start_ticks: 1,
  comm: 'actor',
  cgroups: '',
  executable: '/actor',
  parent_executable: '/suite',
  network_namespace: 7,
  cgroup_path: '',
  cgroup_id: 0,
};
const SAMPLED = { state: 1, rtt: 40, options: 1, total_retrans: 0 };

function handshake(life: Partial<Life>) {
  const wanted = lifeFields({
    role: 'server',
    generation: 0,
    family: 'ipv4',
    cookie: 9,
    maker: PROCESS,
    opener: undefined,
    start: { before: 100, after: 500 },
    established: { before: 100, after: 500 },
    born: SAMPLED,
    readings: [],
    local: { address: '127.0.0.1', port: 1_000 },
    peer: { address: '127.0.0.1', port: 2_000 },
    sent: 0,
    received: 0,
    firstIo: undefined,
    closer: undefined,
    end: undefined,
    info: undefined,
    congestionControl: undefined,
    ...life,
  })['handshake_us'];
  assert.ok(wanted !== undefined);
  return (told: number, row = {}) => holds(wanted, told, row) || describe(wanted, row);
}

test("a server's handshake is the kernel's sample, not eight of them", () => {
  assert.equal(handshake({})(40), true);
  assert.equal(handshake({})(320), '40');
});

test('a sample of whole milliseconds may be one of timestamps, told as none', () => {
  const told = handshake({ born: { ...SAMPLED, rtt: 2_000 } });
  assert.deepEqual([told(0), told(2_000), told(1)], [true, true, '0 or 2000']);
  assert.equal(handshake({ born: { ...SAMPLED, rtt: 2_000, options: 0 } })(0), '2000');
});

test('a handshake that a cookie answered has no sample', () => {
  assert.equal(handshake({ isUnmeasured: true })(40), '0');
});

test("a client's handshake is no shorter than the kernel's sample and no longer than its call", () => {
  const told = handshake({ role: 'client', born: { ...SAMPLED, rtt: 300 } });
  const row = { start_ts: 110, established_ts: 450 };
  assert.equal(told(340, row), true);
  assert.match(String(told(340, { ...row, established_ts: 4_500 })), /298 to 402/);
  assert.match(String(told(100, { ...row, established_ts: 210 })), /298 to 402/);
});
