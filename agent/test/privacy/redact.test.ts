import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRedaction, isPattern } from '../../src/privacy/redact.ts';

const SECRET = 'hunter2 and more';
/** Joined as the kernel joins them. */
const shown = (args: readonly string[], further: readonly string[] = []): string =>
  createRedaction(further)(`${args.join('\0')}\0`);

const HIDDEN: readonly (readonly string[])[] = [
  ['app', `--password=${SECRET}`, '-v'],
  ['app', '--password', SECRET, '-v'],
  ['app', `--db.passwd:${SECRET}`],
  ['app', '-api-key', SECRET],
  ['app', `--aws_secret_access_key=${SECRET}`],
  ['env', `DB_PASSWORD=${SECRET}`, 'app'],
  ['docker', 'run', '-e', `GITHUB_TOKEN=${SECRET}`, 'image'],
  ['java', `-Dspring.datasource.password=${SECRET}`, '-jar', 'a.jar'],
  ['curl', '-d', `{"client_secret": "${SECRET}"}`, 'https://example.com'],
  ['curl', '-H', `Authorization: Basic ${SECRET}`],
  ['curl', '-H', 'X: bearer hunter2'],
  ['/usr/bin/curl', '-s', '-u', `bob:${SECRET}`, 'https://example.com'],
  ['curl', `--user=bob:${SECRET}`],
  ['git', 'clone', 'https://bob:hunter2@example.com/a.git'],
  ['git', 'clone', 'https://hunter2@example.com/a.git'],
  ['psql', 'postgresql://bob:hunter2@db/x'],
  ['/usr/bin/mysqldump', '-h', 'db', `-p${SECRET}`, 'x'],
  ['sshpass', '-p', SECRET, 'ssh', 'host'],
  ['redis-cli', '-h', 'db', '-a', SECRET],
  ['openssl', 'rsa', '-passin', `pass:${SECRET}`],
  ['server: worker --password hunter2 -v'],
];

const TOKENS = [
  'AKIAIOSFODNN7EXAMPLE',
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVPmB92K27uhb',
  `ghp_${'a1B2'.repeat(9)}`,
  `glpat-${'x'.repeat(20)}`,
  `xoxb-${'1'.repeat(24)}`,
  '-----BEGIN RSA PRIVATE KEY-----\nMIIE',
];

test('secrets in command lines are replaced, whatever way they are given', () => {
  for (const args of HIDDEN) {
    const line = shown(args);
    assert.doesNotMatch(line, /hunter2|and more/, line);
    assert.match(line, /\(redacted\)/);
    assert.ok(line.startsWith(args[0]?.split(' ')[0] ?? ''), line);
  }
  for (const token of TOKENS) {
    assert.equal(shown(['app', token, 'end']), 'app (redacted) end');
    assert.ok(!shown(['app', `--x=${token}`]).includes(token));
  }
});

test('what stands around a secret stays', () => {
  assert.equal(
    shown(['app', '--user=bob', '--password=a b', '--port', '80']),
    'app --user=bob --password=(redacted) --port 80',
  );
  assert.equal(shown(['app', '--token', 'token', 'x']), 'app --token (redacted) x');
  assert.equal(shown(['git', 'pull', 'https://a@host/a']), 'git pull https://(redacted)@host/a');
});

test('command lines without secrets stay as they are', () => {
  for (const args of [
    ['sleep', '600'],
    ['ssh', '-p', '2222', 'host'],
    ['node', 'server.js', '--port=8080', '--keyboard=us'],
    ['curl', 'https://example.com/@me?x=1'],
    ['rsync', '-a', 'user@host:/x', '.'],
    ['mysql', '-h', 'db', '--port=1'],
    [''],
  ])
    assert.equal(shown(args), args.join(' '));
});

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
