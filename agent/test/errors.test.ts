import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AGENT_ERRORS, type AgentErrorCode, agentError, reasonOf } from '../src/errors.ts';

test('every error is one sentence with its values, on one line', () => {
  for (const code of Object.keys(AGENT_ERRORS) as AgentErrorCode[]) {
    assert.match(code, /^AGENT_[A-Z_]+$/);
    const { message } = AGENT_ERRORS[code] as { message: (...args: string[]) => string };
    const sentence = message('«one»', '«two»', '«three»');
    for (const value of ['«one»', '«two»', '«three»'].slice(0, message.length))
      assert.ok(sentence.includes(value), code);
    assert.doesNotMatch(sentence, /\n|undefined/);
  }
});

test('an error carries its code, its exit code and its cause', () => {
  const cause = Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' });
  const error = agentError('AGENT_SPOOL_UNUSABLE', ['/spool', reasonOf(cause)], { cause });
  assert.deepEqual([error.code, error.exitCode, error.cause], ['AGENT_SPOOL_UNUSABLE', 1, cause]);
  assert.match(error.message, /\/spool \(EACCES\)/);
});
