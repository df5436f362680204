import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fingerprintOf } from '@tcptrail/schemas/fingerprint.ts';
import { unframe } from '@tcptrail/schemas/single-object.ts';
import { openSegmentChain } from '@tcptrail/spool/segment-chain.ts';
import { createSpool, NOW_US, SCHEMA } from '../../../test/spool-writer.ts';
import { createOutbox } from '../../src/publish/outbox.ts';

const LIMITS = { bytesMax: 1_000, recordedMsMax: 10_000 };

/** An outbox on `spool`, and how many batches it has read of it. */
function outboxOn(path: string) {
  const chain = openSegmentChain(path, undefined);
  let reads = 0;
  const outbox = createOutbox(
    { hostId: 'host-a', bootId: 'boot-1', agentEpoch: NOW_US, cursorLost: false },
    {
      cursor: undefined,
      cursorFile: { save() {} },
      chain: {
        next() {
          const read = chain.next();
          if (read.kind === 'batch') reads += 1;
          return read;
        },
        get place() {
          return chain.place;
        },
        get isAtEnd() {
          return chain.isAtEnd;
        },
      },
      onDamage() {},
    },
  );
  return { outbox, reads: () => reads };
}

test('while Kafka is away one group is in memory, however much is spooled and however often it is tried', () => {
  const spool = createSpool();
  for (let batch = 0; batch < 200; batch++) spool.batch(3);
  const { outbox, reads } = outboxOn(spool.path);
  const group = outbox.peek(LIMITS);
  const held = reads();
  const bytes = group?.messages.reduce((sum, { datum }) => sum + datum.length, 0) ?? 0;
  assert.ok(bytes > 0 && bytes <= LIMITS.bytesMax, `${bytes} bytes in hand`);
  assert.equal(held, (group?.messages.length ?? 0) + 1, 'and the batch that begins the next group');
  for (let tries = 0; tries < 100; tries++) {
    outbox.sending();
    outbox.uncertain();
    assert.equal(outbox.peek(LIMITS), group);
  }
  assert.equal(reads(), held);
});

test('a batch larger than a group may be goes by itself', () => {
  const spool = createSpool();
  spool.batch(100);
  spool.batch(100);
  const { outbox } = outboxOn(spool.path);
  assert.equal(outbox.peek(LIMITS)?.messages.length, 1);
});

test('bytes that are no batch have no time of their own, and go as they are', () => {
  const spool = createSpool();
  spool.batch(1, { batch_ts: NOW_US });
  spool.datum(Buffer.from('no batch'));
  spool.batch(1, { batch_ts: NOW_US + 3_000_000 });
  const { outbox } = outboxOn(spool.path);
  const group = outbox.peek({ ...LIMITS, bytesMax: 1_000_000 });
  assert.deepEqual([group?.messages.length, group?.recordedMs], [3, 3_000]);
});

test('what an agent of another release spooled goes whole, under the name of its own schema', () => {
  const spool = createSpool();
  const other = SCHEMA.replaceAll('"rtt_us"', '"rtt_of_another_release_us"');
  spool.rotate(other);
  spool.batch(8);
  const { outbox } = outboxOn(spool.path);
  const [message] = outbox.peek(LIMITS)?.messages ?? [];
  assert.ok(message);
  assert.equal(unframe(message.value).fingerprint, fingerprintOf(JSON.parse(other)));
  assert.equal(outbox.split(), 0, 'how many events it holds is not known');
  outbox.uncertain();
  const [again] = outbox.peek(LIMITS)?.messages ?? [];
  assert.equal(unframe(again?.value ?? Buffer.of()).fingerprint, unframe(message.value).fingerprint);
});
