import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTunables, TUNABLES_BYTES } from '../../src/trace/tunables.ts';

const CONSTANTS = { epoch: 7n, jiffiesHz: 250 };

/** As struct tunables of bpf/connection.bpf.h. */
const read = (bytes: Buffer) => ({
  openHoldNs: bytes.readBigUInt64LE(0),
  epoch: bytes.readBigUInt64LE(8),
  updateNs: bytes.readBigUInt64LE(16),
  retransmitsPerSecond: bytes.readUInt32LE(24),
  jiffiesHz: bytes.readUInt32LE(28),
  listenerNs: bytes.readBigUInt64LE(32),
});

/** Memory that stands somewhere in a larger one, as mapped memory does. */
function mapped(bytes: Buffer) {
  const memory = new ArrayBuffer(64);
  const offset = 16;
  Buffer.from(memory).set(bytes, offset);
  return { memory, offset, read: () => read(Buffer.from(memory, offset, TUNABLES_BYTES)) };
}

test('milliseconds become nanoseconds, and no limit the largest', () => {
  const tunables = createTunables({ openHoldMs: 1_000, updateMs: 60_000 });
  assert.deepEqual(read(tunables.bytes(CONSTANTS)), {
    openHoldNs: 1_000_000_000n,
    epoch: 7n,
    updateNs: 60_000_000_000n,
    retransmitsPerSecond: 0xffff_ffff,
    jiffiesHz: 250,
    listenerNs: 86_400_000_000_000n,
  });
});

test('a change leaves what it does not name', () => {
  const tunables = createTunables({ updateMs: 60_000, retransmitsPerSecond: 50 });
  const memory = mapped(tunables.bytes(CONSTANTS));
  tunables.change(memory, { openHoldMs: 5 });
  tunables.change(memory, { updateMs: 1 });
  assert.deepEqual(memory.read(), {
    openHoldNs: 5_000_000n,
    epoch: 7n,
    updateNs: 1_000_000n,
    retransmitsPerSecond: 50,
    jiffiesHz: 250,
    listenerNs: 86_400_000_000_000n,
  });
});

test('what is off stays off when its setting changes, and comes back with the new one', () => {
  const tunables = createTunables({ updateMs: 60_000, retransmitsPerSecond: 50 });
  const memory = mapped(tunables.bytes(CONSTANTS));
  const told = () => {
    const { updateNs, retransmitsPerSecond } = memory.read();
    return { updateNs, retransmitsPerSecond };
  };
  tunables.change(memory, { updatesOff: true, retransmitsOff: true });
  tunables.change(memory, { updateMs: 1, retransmitsPerSecond: 9 });
  assert.deepEqual(told(), { updateNs: 0n, retransmitsPerSecond: 0 });
  tunables.change(memory, { updatesOff: false, retransmitsOff: false });
  assert.deepEqual(told(), { updateNs: 1_000_000n, retransmitsPerSecond: 9 });
});
