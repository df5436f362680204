import assert from 'node:assert/strict';
import { test } from 'node:test';
import { styleFor } from '../../src/terminal/style.ts';

const terminal = { isTTY: true };

test('colours appear on a terminal only', () => {
  assert.equal(styleFor(terminal, {})('red', 'x'), '\u001b[31mx\u001b[39m');
  assert.equal(styleFor({}, {})('red', 'x'), 'x');
});

test('NO_COLOR and a dumb terminal turn colours off; an empty NO_COLOR does not', () => {
  assert.equal(styleFor(terminal, { NO_COLOR: '1' })('red', 'x'), 'x');
  assert.equal(styleFor(terminal, { TERM: 'dumb' })('red', 'x'), 'x');
  assert.notEqual(styleFor(terminal, { NO_COLOR: '' })('red', 'x'), 'x');
});
