import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  LIST_ITEMS_MAX,
  microseconds,
  TEXT_BYTES_MAX,
  writeList,
  writeText,
} from '@tcptrail/schemas/encode-value.ts';
import { ENUMS } from '@tcptrail/schemas/enums.ts';
import { EVENT_FIELDS } from '@tcptrail/schemas/fields.ts';
import {
  type AgentFields,
  EVENT_BYTES_MAX,
  encodeEvent,
  isValidEvent,
} from '@tcptrail/schemas/generated/encode-event.ts';
import { RING, RING_EVENT_BYTES } from '@tcptrail/schemas/generated/ring.ts';

const text = (bytes: number): Uint8Array => new Uint8Array(bytes).fill(0x61);
const list = (items: number): number[] => new Array<number>(items).fill(0xffff_ffff);

/** As long as the field allows. */
function longest(): AgentFields {
  return {
    clock_offset_us: 2 ** 52,
    peer_name: text(TEXT_BYTES_MAX),
    peer_name_source: 1,
    peer_translated_address: new Uint32Array(4),
    peer_translated_port: 0xffff,
    owner: 0x7fff_ffff,
    own: true,
    reset_reason: text(TEXT_BYTES_MAX),
    connections: 0xffff_ffff,
    folded: 0xffff_ffff,
    rtt_histogram: list(LIST_ITEMS_MAX),
  };
}

/** All bits set, but for enums, bools and the bound of times. */
function fullRecord(): { words: Uint32Array; bytes: Uint8Array } {
  const bytes = new Uint8Array(RING_EVENT_BYTES).fill(0xff);
  for (const { name, type } of EVENT_FIELDS) {
    const at = RING[name as keyof typeof RING];
    if (typeof type === 'object') bytes[at] = ENUMS[type.enum].length - 1;
    else if (type === 'bool') bytes[at] = 1;
    else if (type === 'time') bytes[at + 7] = 0x3f;
  }
  bytes[RING.process_start_ts + 7] = 0x3f;
  bytes.fill(0, RING.cgroup_id + 6, RING.cgroup_id + 8);
  return { bytes, words: new Uint32Array(bytes.buffer) };
}

test('the longest event fits into the room that is promised', () => {
  const { words, bytes } = fullRecord();
  assert.ok(isValidEvent(words, 0));
  const out = new Uint8Array(2 * EVENT_BYTES_MAX);
  const end = encodeEvent(words, bytes, 0, new DataView(out.buffer), 0, longest());
  assert.ok(end <= EVENT_BYTES_MAX, `${end} bytes, not ${EVENT_BYTES_MAX}`);
});

test('an event with a text or a list beyond its limit is refused', () => {
  const { words, bytes } = fullRecord();
  const out = new Uint8Array(2 * EVENT_BYTES_MAX);
  for (const tooLong of [
    { peer_name: text(TEXT_BYTES_MAX + 1) },
    { reset_reason: text(TEXT_BYTES_MAX + 1) },
    { rtt_histogram: list(LIST_ITEMS_MAX + 1) },
  ]) {
    const agent = { ...longest(), ...tooLong };
    assert.throws(
      () => encodeEvent(words, bytes, 0, new DataView(out.buffer), 0, agent),
      RangeError,
      Object.keys(tooLong)[0],
    );
  }
});

test('what is refused is not written', () => {
  const out = new Uint8Array(2 * EVENT_BYTES_MAX);
  assert.throws(() => writeText(new DataView(out.buffer), 0, text(TEXT_BYTES_MAX + 1)), RangeError);
  assert.throws(() => writeList(new DataView(out.buffer), 0, list(LIST_ITEMS_MAX + 1)), RangeError);
  for (const wrong of [-1, 0.5, 2 ** 32, Number.NaN])
    assert.throws(() => writeList(new DataView(out.buffer), 0, [1, wrong]), RangeError, String(wrong));
  assert.ok(out.every((byte) => byte === 0));
});

test('µs of a kernel time are exact up to 146 years after boot', () => {
  const times = [0n, 999n, 1_000n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n + 999n, 2n ** 62n - 1n];
  for (let high = 0n; high < 2n ** 30n; high += 12_345_677n)
    times.push((high << 32n) + ((high * 977n) % 2n ** 32n));
  for (const ns of times) {
    const us = microseconds(Number(ns & 0xffff_ffffn), Number(ns >> 32n));
    assert.equal(BigInt(us), ns / 1_000n, `${ns} ns`);
  }
});
