import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOfTopic, noteOf, positionOf } from '../../src/consume/note.ts';

const of = (metadata: string | null, offset = '7') => positionOf({ offset, metadata }, 'id');

test('what was noted is read back: nothing begun, or a plan up to an end', () => {
  assert.deepEqual(of(noteOf('id')), { offset: 7, isKnown: true });
  const begun = { end: 12, plan: '["d",[0,1,2,0]] x\ny' };
  assert.deepEqual(of(noteOf('id', begun)), { offset: 7, isKnown: true, begun });
});

test('an offset without a note of ours tells nothing: reset by hand, overwritten by the client, or never committed', () => {
  for (const metadata of ['', null, 'tcptrail 1', 'tcptrail 2', 'tcptrail 2 id x y', 'somebody'])
    assert.deepEqual(of(metadata), { offset: 7, isKnown: false });
  assert.deepEqual(of(noteOf('id'), '-2'), { offset: -2, isKnown: false });
});

test('a position in a topic of that name that was deleted is none in this one, and nothing of this one is begun', () => {
  for (const begun of [undefined, { end: 12, plan: 'plan' }])
    assert.deepEqual(of(noteOf('former', begun)), { offset: -1, isKnown: true, isFormer: true });
  assert.deepEqual([noteOf('former'), noteOf('id'), null].map(isOfTopic('id')), [false, true, true]);
});
