import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { loadConfig } from '../src/load.ts';
import { withoutLogins } from '../src/secret.ts';
import { fileWith, folderOf, refusal, SAMPLE } from './support/sample.ts';

function passwordOf(t: TestContext, sasl: object, env: Readonly<Record<string, string>> = {}): string {
  const file = fileWith(t, JSON.stringify({ kafka: { sasl } }));
  return loadConfig(SAMPLE, { part: 'sample', file, env }).kafka.sasl.password;
}

test('the first line of a file is the password, and wins over the key', (t) => {
  for (const text of ['from file', 'from file\n', 'from file\r\nsecond line\n']) {
    const passwordFile = fileWith(t, text);
    assert.equal(passwordOf(t, { password: 'from key', passwordFile }), 'from file');
    assert.equal(passwordOf(t, { passwordFile }, { TCPTRAIL_KAFKA_SASL_PASSWORD: 'x' }), 'from file');
  }
});

test('the file of a password may come by environment', (t) => {
  const passwordFile = fileWith(t, '123\n');
  assert.equal(passwordOf(t, {}, { TCPTRAIL_KAFKA_SASL_PASSWORD_FILE: passwordFile }), '123');
});

test('without a file the key counts', (t) => {
  assert.equal(passwordOf(t, { password: 'from key' }), 'from key');
  assert.equal(passwordOf(t, {}), '');
});

test('a password file that cannot be read is refused by key, path and reason', (t) => {
  const passwordFile = join(folderOf(t), 'none');
  const error = refusal(() => passwordOf(t, { passwordFile }));
  assert.equal(error.code, 'CONFIG_SECRET_UNREADABLE');
  assert.ok(
    error.message.startsWith(`kafka.sasl.passwordFile names ${passwordFile}, which cannot be read (ENOENT);`),
  );
});

test('a login that a text carries is not shown, wherever it stands in it', () => {
  for (const login of ['me:hidden', 'me:hidden:2', 'me:hid@den', 'hidden', ':hidden'])
    assert.equal(withoutLogins(`https://${login}@host:1/path`), 'https://(set)@host:1/path');
  assert.equal(withoutLogins('me:hidden@host:9092'), '(set)@host:9092');
  assert.equal(withoutLogins('http://h/?user=a&password=hidden&b=1'), 'http://h/?user=a&password=(set)&b=1');
  for (const text of ['https://host:80/a@b', 'https://host/?a=b@c', 'me@host', 'host:9092'])
    assert.equal(withoutLogins(text), text);
});
