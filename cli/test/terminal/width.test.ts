import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cut, pad, printable, widthOf } from '../../src/terminal/width.ts';

test('East Asian characters and emoji take two columns, combining marks none', () => {
  assert.equal(widthOf('abc'), 3);
  assert.equal(widthOf('日本'), 4);
  assert.equal(widthOf('🚀'), 2);
  assert.equal(widthOf('e\u0301'), 1);
});

test('cut text ends in an ellipsis and never exceeds its columns', () => {
  assert.equal(cut('abcdef', 6), 'abcdef');
  assert.equal(cut('abcdefg', 6), 'abcde…');
  assert.equal(widthOf(cut('日本日本', 6)) <= 6, true);
});

test('padding counts columns, not code units', () => {
  assert.equal(pad('日', 4), '日  ');
  assert.equal(pad('7', 3, 'right'), '  7');
});

test('control characters become visible, so stored text cannot drive the terminal', () => {
  assert.equal(printable('a\u001b[31m\n\u0007\u009b'), 'a\\x1b[31m\\n\\x07\\x9b');
});
