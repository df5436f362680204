import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { loadConfig } from '../src/load.ts';
import { withoutUrlPassword } from '../src/secret.ts';
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

test('the password of a URL is not shown', () => {
  assert.equal(withoutUrlPassword('https://me:hidden:2@host:1/path'), 'https://me:(set)@host:1/path');
  for (const text of ['https://me@host', 'https://host:80/a@b', 'a:b@c'])
    assert.equal(withoutUrlPassword(text), text);
});
