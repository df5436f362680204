import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noteOf, positionOf } from '../../src/consume/note.ts';

const of = (metadata: string | null, offset = '7') => positionOf({ offset, metadata });

test('what was noted is read back: nothing begun, or a plan up to an end', () => {
  assert.deepEqual(of(noteOf()), { offset: 7, isKnown: true });
  const begun = { end: 12, plan: '["d",[0,1,2,0]] x\ny' };
  assert.deepEqual(of(noteOf(begun)), { offset: 7, isKnown: true, begun });
});

test('an offset without a note of ours tells nothing: reset by hand, overwritten by the client, or never committed', () => {
  for (const metadata of ['', null, 'tcptrail 2', 'tcptrail 1 x y', 'somebody'])
    assert.deepEqual(of(metadata), { offset: 7, isKnown: false });
  assert.deepEqual(of(noteOf(), '-2'), { offset: -2, isKnown: false });
});
