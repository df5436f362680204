import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRedaction, isPattern } from '../../src/privacy/redact.ts';

/** Joined as the kernel joins them. */
const shown = (args: readonly string[], further: readonly string[] = []): string =>
  createRedaction(further)(`${args.join('\0')}\0`);

test('further patterns replace their first group, or all of a match without one', () => {
  const further = ['badge-(\\d+)', 'blue[^\\x00]*', '(?i)x(y)?z', ''.concat('q*')];
  assert.equal(
    shown(['app', 'badge-42 badge-43', 'the blue one', 'XYZ xz', 'q'], further),
    'app badge-(redacted) badge-(redacted) the (redacted) X(redacted)Z xz (redacted)',
  );
});

test('a pattern that could blow up is refused or takes time as the text does', () => {
  for (const pattern of ['(?=a)b', '(?<!a)b', '(a)\\1', 'a(', '[z-a]', 'a{2000}'])
    assert.equal(isPattern(pattern), false, pattern);
  // In a backtracking engine each of these would not end within the age of the universe.
  for (const pattern of ['(a+)+$', '(a|aa)+$', '(.*a){20}$']) {
    assert.equal(isPattern(pattern), true, pattern);
    assert.equal(shown(['a'.repeat(2_000), 'b'], [pattern]), `${'a'.repeat(2_000)} b`);
  }
});

test('built-in patterns end on texts that are made against them', () => {
  for (const text of [
    'password',
    '-',
    '-password',
    'eyJ',
    'eyJaaaaaaaaa.',
    'a://',
    'mysql\0-',
    'curl\0-s',
    'curl a:',
    'login\0-p\0',
    `-${'pass'.repeat(30)} `,
    'token ',
    '--token=',
    '"',
  ])
    createRedaction([])(text.repeat(8_192 / text.length));
});

test('of a line that is too long the argument that was cut is left out', () => {
  const token = `ghp_${'a'.repeat(36)}`;
  for (let before = 8_130; before < 8_200; before++) {
    const line = shown(['x'.repeat(before), token]);
    assert.doesNotMatch(line, /ghp_/);
  }
  assert.equal(shown(['x'.repeat(9_000)]), '');
});
