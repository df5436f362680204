import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kafkaKeys } from '../src/config.ts';
import { groupLag } from '../src/lag.ts';

const CONFIG = kafkaKeys.parse({});
const ASKED = { topic: 't', group: 'g' };
const protocolError = (type: string) => Object.assign(new Error(type), { type });

/** An admin of a topic with three partitions, whose group answers with each of `refusals` first. */
function adminOf(...refusals: readonly Error[]) {
  const left = [...refusals];
  let asked = 0;
  return {
    asked: () => asked,
    async fetchTopicOffsets() {
      return [
        { partition: 2, offset: '9', high: '9', low: '4' },
        { partition: 0, offset: '7', high: '7', low: '0' },
        { partition: 1, offset: '5', high: '5', low: '2' },
      ];
    },
    async fetchOffsets() {
      asked += 1;
      const refusal = left.shift();
      if (refusal) throw refusal;
      const partitions = [
        { partition: 0, offset: '3', metadata: null },
        { partition: 1, offset: '-1', metadata: null },
        { partition: 2, offset: '1', metadata: null },
      ];
      return [{ topic: 't', partitions }];
    },
  };
}

test('the lag counts from the commit, or from the oldest message where there is none or it is gone', async () => {
  assert.deepEqual(await groupLag(adminOf(), CONFIG, ASKED), [
    { partition: 0, low: 0, high: 7, committed: 3, lag: 4 },
    { partition: 1, low: 2, high: 5, committed: undefined, lag: 3 },
    { partition: 2, low: 4, high: 9, committed: 1, lag: 5 },
  ]);
});

test('a group that moves between brokers is asked for again', async () => {
  const admin = adminOf(protocolError('NOT_COORDINATOR_FOR_GROUP'), protocolError('GROUP_LOAD_IN_PROGRESS'));
  assert.equal((await groupLag(admin, CONFIG, ASKED, { waitMs: 0 })).length, 3);
  assert.equal(admin.asked(), 3);
});

test('a group that no broker takes over is an error in the end', async () => {
  const admin = adminOf(...Array.from({ length: 1_000 }, () => protocolError('NOT_COORDINATOR_FOR_GROUP')));
  await assert.rejects(groupLag(admin, CONFIG, ASKED, { waitMs: 0 }), {
    code: 'KAFKA_BUSY',
    message: /NOT_COORDINATOR_FOR_GROUP/,
  });
  assert.equal(admin.asked(), 20);
});

test('any other refusal is told at once', async () => {
  const admin = adminOf(protocolError('GROUP_AUTHORIZATION_FAILED'));
  await assert.rejects(groupLag(admin, CONFIG, ASKED, { waitMs: 0 }), { code: 'KAFKA_NOT_AUTHORISED' });
  assert.equal(admin.asked(), 1);
});
