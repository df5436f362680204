import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONFIG_ERRORS, configError, reasonOf } from '../src/errors.ts';

test('every error is one sentence with its values, on one line', () => {
  for (const [code, message] of Object.entries(CONFIG_ERRORS)) {
    assert.match(code, /^CONFIG_[A-Z_]+$/);
    const values = ['«one»', '«two»', '«three»', '«four»'].slice(0, message.length);
    const sentence = (message as (...args: string[]) => string)(...values);
    for (const value of values) assert.ok(sentence.includes(value), code);
    assert.doesNotMatch(sentence, /\n|undefined/);
  }
});

test('an error carries its code, exit code 2 and its cause', () => {
  const cause = Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' });
  const error = configError('CONFIG_UNREADABLE', ['/file', reasonOf(cause)], { cause });
  assert.deepEqual([error.code, error.exitCode, error.cause], ['CONFIG_UNREADABLE', 2, cause]);
  assert.match(error.message, /\/file \(EACCES\)/);
});
