import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatSegmentName, parseSegmentName } from '../src/segment-name.ts';

test('names sort in the order of writing', () => {
  const written = [
    { agentEpoch: 999_999_999, number: 99_999_999 },
    { agentEpoch: 1_700_000_000_000_000, number: 9 },
    { agentEpoch: 1_700_000_000_000_000, number: 10 },
  ];
  const names = written.map(formatSegmentName);
  assert.deepEqual(names.toSorted(), names);
  assert.deepEqual(names.map(parseSegmentName), written);
});

test('other files are no segments', () => {
  for (const file of [
    'lock',
    'state.json',
    '1700000000000000-1.avro',
    '1700000000000000-00000001.avro.new',
  ]) {
    assert.equal(parseSegmentName(file), undefined);
  }
});
