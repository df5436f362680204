import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeEnvelope } from '@tcptrail/schemas/batch.ts';
import { modelBatch } from '../../../test/fuzz/mutate-batch.ts';
import { createRandom } from '../../../test/random.ts';
import { SAMPLE_OWNER } from '../../../test/sample-batch.ts';
import { datumOf } from '../../../test/spool-writer.ts';
import { glance } from '../../src/consume/glance.ts';

test('which batch it is and how many events it has, as the decoder reads them', () => {
  const random = createRandom(1);
  for (let tries = 0; tries < 50; tries++) {
    const { datum, count } = modelBatch(random);
    const { host_id, agent_epoch, batch_seq } = decodeEnvelope(datum).envelope;
    const identity = { hostId: host_id, agentEpoch: agent_epoch, batchSeq: batch_seq };
    assert.deepEqual(glance(datum), { identity, rows: count });
  }
});

test('owners are passed over: what is wrong with them is for the decoder to find', () => {
  const owners = [SAMPLE_OWNER, { ...SAMPLE_OWNER, command_line: 'marked' }];
  const datum = Buffer.from(datumOf({ batch_seq: 7, owners }, [{ seq: 1 }, { seq: 2 }]));
  datum[datum.indexOf('marked')] = 0xff;
  assert.throws(() => decodeEnvelope(datum), { code: 'DECODE_RANGE' });
  const seen = glance(datum);
  assert.deepEqual([seen?.identity.batchSeq, seen?.rows], [7, 2]);
});

test('owners in a block that gives its size are passed over as well', () => {
  const one = Buffer.from(datumOf({ owners: [{ ...SAMPLE_OWNER, comm: '' }] }, [{ seq: 1 }]));
  const none = Buffer.from(datumOf({ owners: [] }, [{ seq: 1 }]));
  // Where they differ first the one has the count 1, the other its closing zero.
  const at = one.findIndex((byte, index) => byte !== none[index]);
  const length = one.length - none.length - 1;
  assert.ok(length >= 2 ** 6 && length < 2 ** 13);
  const size = Buffer.from([((length * 2) & 0x7f) | 0x80, (length * 2) >> 7]);
  const sized = Buffer.concat([one.subarray(0, at), Buffer.from([1]), size, one.subarray(at + 1)]);
  assert.deepEqual(decodeEnvelope(sized).envelope, decodeEnvelope(one).envelope);
  assert.deepEqual(glance(sized), glance(one));
});

test('a head that ends early tells nothing', () => {
  const datum = datumOf({}, [{ seq: 1 }]);
  for (const length of [0, 1, 30]) assert.equal(glance(datum.subarray(0, length)), undefined);
});
