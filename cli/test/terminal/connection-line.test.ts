import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ConnectionRow, connectionHead, connectionLine } from '../../src/terminal/connection-line.ts';
import { plain } from '../../src/terminal/style.ts';

const row: ConnectionRow = {
  kind: 'close',
  ts: '2026-01-02 03:04:05.678901',
  host_name: 'web-1',
  role: 'client',
  local_address: '::ffff:10.0.0.1',
  local_port: 51_234,
  peer_address: '::ffff:93.184.216.34',
  peer_port: 443,
  peer_name: '',
  pid: 4_242,
  comm: 'curl',
  executable: '/usr/bin/curl',
  verdict: 'closed_local',
  errno: 0,
  retransmit_cause: 'unknown',
  bytes_sent: 1_234,
  bytes_received: 56_789,
  duration_us: 123_456,
  rtt_us: 12_300,
  total_retrans: 0,
  connections: 1,
  reset_direction: 'none',
  reset_reason: '',
  attempts: 0,
  accept_queue: 0,
  accept_queue_max: 0,
  listen_drops: 0,
};
const line = (change: Partial<ConnectionRow>, options = {}): string =>
  connectionLine({ ...row, ...change }, { style: plain, offsetMinutes: 0, ...options });

test('a close is one line: time, verdict, process, ends, bytes, duration, round-trip time', () => {
  assert.equal(
    line({}),
    '03:04:05.678  closed_local    curl[4242]                     10.0.0.1:51234 → 93.184.216.34:443      ↑ 1.21 KiB  ↓ 55.5 KiB     123 ms  rtt 12.3 ms',
  );
});

test('the head stands over its columns', () => {
  const head = connectionHead({ style: plain });
  const text = line({});
  assert.equal(head.indexOf('verdict'), text.indexOf('closed_local'));
  assert.equal(head.indexOf('process'), text.indexOf('curl'));
  assert.equal(head.indexOf('peer'), text.indexOf('93.184'));
  assert.equal(head.indexOf('duration') + 'duration'.length, text.indexOf('123 ms') + '123 ms'.length);
});

test('a server has its arrow the other way, IPv6 its brackets', () => {
  const text = line({ role: 'server', local_address: '::1', local_port: 80, peer_address: '2001:db8::7' });
  assert.match(text, /\[::1\]:80 ← \[2001:db8::7\]:443/);
});

test('a failure shows its errno, retransmits where there were some', () => {
  const text = line({ kind: 'fail', verdict: 'refused', errno: 111, total_retrans: 2, rtt_us: 0 });
  assert.match(text, /refused .* retransmits 2 {2}errno 111$/);
  assert.doesNotMatch(text, /rtt/);
});

test('other kinds show their kind, a retransmit its cause', () => {
  assert.match(line({ kind: 'open', verdict: 'unknown' }), /^03:04:05\.678 {2}open /);
  assert.match(line({ kind: 'retransmit', retransmit_cause: 'tail_loss_probe' }), /tail_loss_probe$/);
});

test('what has no bytes shows what it has: direction and reason, attempts, the queue', () => {
  const reset = line({ kind: 'reset', reset_direction: 'sent', reset_reason: 'no_socket' });
  assert.match(reset, /^03:04:05\.678 {2}reset .*:443 +sent no_socket$/);
  assert.match(line({ kind: 'reset', reset_direction: 'received' }), / received$/);
  assert.match(line({ kind: 'half_open', attempts: 3 }), / SYN-ACKs 3$/);
  const queue = { accept_queue: 2, accept_queue_max: 128 };
  assert.match(line({ kind: 'listener', ...queue, listen_drops: 9 }), / queue 2 of 128 {2}drops 9$/);
  assert.doesNotMatch(line({ kind: 'listen', ...queue }), /drops|↑|ms/);
});

test('an unknown owner is a dash, and a name cannot drive the terminal', () => {
  assert.match(line({ pid: 0 }), /closed_local {4}- /);
  assert.match(line({ executable: '', comm: 'a\u001b[2Jb' }), /a\\x1b\[2Jb\[4242\]/);
});

test('a long name of a process gives way to its pid', () => {
  assert.match(
    line({ executable: '/opt/a-rather-long-name', pid: 4_194_304 }),
    / {2}a-rather-lon…\[4194304\] {2}/,
  );
});

test('the narrow form keeps whole seconds and the local port, and fits 120 columns', () => {
  assert.ok(line({}, { narrow: true }).length <= 120);
  assert.match(line({}, { narrow: true }), /^03:04:05 {2}closed_local.* :51234 → 93\.184\.216\.34:443/);
});

test('times are shown in the zone asked for', () => {
  assert.match(line({}, { offsetMinutes: 330 }), /^08:34:05\.678/);
});

test('a summary tells how many connections it stands for', () => {
  assert.match(line({ kind: 'summary', verdict: 'unknown', connections: 40 }), /40 connections$/);
});

test("a process is named by its program, and by the kernel's short name when that is not known", () => {
  assert.match(line({ comm: 'MainThread', executable: '/usr/bin/node' }), / node\[4242\]/);
  assert.match(line({ comm: 'sshd', executable: '' }), / sshd\[4242\]/);
});

test('a summary shows the verdict of all, how many, the mean of their durations, and no process or port of one', () => {
  const summary = { kind: 'summary', connections: 481, duration_us: 1_387_323, role: 'server' };
  assert.equal(
    line({ ...summary, pid: 0, local_port: 443, peer_port: 0 }),
    '03:04:05.678  closed_local    curl[*]                          10.0.0.1:443 ← 93.184.216.34:*        ↑ 1.21 KiB  ↓ 55.5 KiB  ø 2.88 ms  rtt 12.3 ms  481 connections',
  );
  assert.match(line({ ...summary, pid: 7 }), /curl\[7\]/);
});
