import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkReport } from '../src/check.ts';
import { fileWith, refusal, SAMPLE } from './support/sample.ts';

test('a right configuration is one line that names its file', (t) => {
  const file = fileWith(t, 'name: a\n');
  assert.equal(
    checkReport(SAMPLE, { part: 'sample', file, env: { TCPTRAIL_HOME: '/x' } }),
    `sample configuration is right: ${file}\n`,
  );
});

test('without a file it is the defaults, and variables over them are named', () => {
  assert.equal(
    checkReport(SAMPLE, { part: 'no-such-part', env: { TCPTRAIL_NAME: 'a', TCPTRAIL_IS_ON: 'true' } }),
    'no-such-part configuration is right: defaults, under TCPTRAIL_NAME, TCPTRAIL_IS_ON\n',
  );
});

test('a variable that is probably misspelt is told with what was meant', () => {
  assert.equal(
    checkReport(SAMPLE, { part: 'no-such-part', env: { TCPTRAIL_NAMES: 'a' } }),
    'no-such-part configuration is right: defaults\n' +
      'ignored: TCPTRAIL_NAMES names no key; did you mean TCPTRAIL_NAME?\n',
  );
});

test('a wrong configuration is refused as at start', (t) => {
  const file = fileWith(t, 'nam: a\n');
  assert.equal(
    refusal(() => checkReport(SAMPLE, { part: 'sample', file, env: {} })).code,
    'CONFIG_UNKNOWN_KEY',
  );
});
