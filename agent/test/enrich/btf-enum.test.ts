import assert from 'node:assert/strict';
import { test } from 'node:test';
import { btfEnum } from '../../src/enrich/btf-enum.ts';
import { createBtf } from '../support/btf.ts';

/** One of each kind that carries something behind its type, then the two enums. */
function everyKind(): ReturnType<typeof createBtf> {
  const btf = createBtf();
  btf.type({ kind: 1, name: 'int', behind: [0x20] });
  btf.type({ kind: 3, behind: [1, 1, 4] });
  btf.type({ kind: 4, name: 'reason', members: [[btf.text('member'), 1, 0]] });
  btf.type({ kind: 6, name: 'other', members: [[btf.text('OTHER_ZERO'), 0]] });
  btf.type({
    kind: 13,
    members: [
      [btf.text('argument'), 1],
      [0, 0],
    ],
  });
  btf.type({ kind: 14, name: 'variable', behind: [1] });
  btf.type({ kind: 15, name: '.data', members: [[6, 0, 4]] });
  btf.type({ kind: 17, name: 'tag', behind: [0xffffffff] });
  btf.type({
    kind: 6,
    name: 'reason',
    members: [
      [btf.text('BELOW'), 0xffffffff],
      [btf.text('NOT_SPECIFIED'), 0],
      [btf.text('LAST'), 0x7fffffff],
    ],
  });
  btf.type({
    kind: 19,
    name: 'wide',
    members: [
      [btf.text('WIDE_ONE'), 1, 0],
      [btf.text('WIDE_BIG'), 0x80000000, 2],
      [btf.text('WIDE_BELOW'), 0xffffffff, 0xffffffff],
    ],
  });
  return btf;
}

test('an enum is found behind every kind of type, its values signed', () => {
  assert.deepEqual(
    [...(btfEnum(everyKind().blob(), 'reason') ?? [])],
    [
      [-1, 'BELOW'],
      [0, 'NOT_SPECIFIED'],
      [0x7fffffff, 'LAST'],
    ],
  );
});

test('an enum of 64 bits has the same form', () => {
  assert.deepEqual(
    [...(btfEnum(everyKind().blob(), 'wide') ?? [])],
    [
      [1, 'WIDE_ONE'],
      [0x2_8000_0000, 'WIDE_BIG'],
      [-1, 'WIDE_BELOW'],
    ],
  );
});

test('a name that only begins or ends alike is another enum, and a struct is none', () => {
  const blob = everyKind().blob();
  for (const name of ['reaso', 'eason', 'reasons', 'int', ''])
    assert.equal(btfEnum(blob, name), undefined, name);
});

test('a header longer than ours is passed over', () => {
  assert.equal(btfEnum(everyKind().blob({ headerBytes: 32 }), 'reason')?.size, 3);
});

test('what is no BTF, shortened BTF or BTF with a kind of the future has no enum', () => {
  const blob = everyKind().blob();
  for (let length = 0; length < blob.length; length++)
    assert.equal(btfEnum(blob.subarray(0, length), 'reason'), undefined, `length ${length}`);
  const newer = createBtf();
  newer.type({ kind: 20 });
  newer.type({ kind: 6, name: 'reason', members: [] });
  assert.equal(btfEnum(newer.blob(), 'reason'), undefined);
  assert.equal(btfEnum(Buffer.from(blob).swap16(), 'reason'), undefined);
});
