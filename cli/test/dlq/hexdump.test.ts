import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hexdump } from '../../src/dlq/hexdump.ts';

const value = Uint8Array.from({ length: 100 }, (_, index) => index + 0x20);

test('the lines around the byte, which stands in brackets', () => {
  assert.equal(
    hexdump(value, { at: 0x22, bytes: 8 }),
    [
      '00000010  30  31  32  33  34  35  36  37  38  39  3a  3b  3c  3d  3e  3f  0123456789:;<=>?',
      '00000020  40  41 [42] 43  44  45  46  47  48  49  4a  4b  4c  4d  4e  4f  @ABCDEFGHIJKLMNO',
      '',
    ].join('\n'),
  );
});

test('damage at the end shows the last bytes and where they end', () => {
  assert.equal(
    hexdump(value, { at: 100, bytes: 4 }),
    [`00000060  80  81  82  83 ${' '.repeat(48)} ....`, '00000064  the end of 100 bytes', ''].join('\n'),
  );
  assert.equal(
    hexdump(new Uint8Array(), { at: 0, bytes: 4 }).trimEnd().split('\n').at(-1),
    '00000000  the end of 0 bytes',
  );
});
