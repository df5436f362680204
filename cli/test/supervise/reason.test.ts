import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reasonIn } from '../../src/supervise/reason.ts';

test('a plain sentence is the reason, without the name in front', () => {
  assert.equal(reasonIn('tcptrail agent: spool full; free space'), 'spool full; free space');
  assert.equal(reasonIn('Segmentation fault'), 'Segmentation fault');
});

test('an error in a JSON log line is the reason, with its cause', () => {
  assert.equal(reasonIn('{"level":60,"msg":"port taken; free it"}'), 'port taken; free it');
  assert.equal(reasonIn('{"level":60,"msg":"start failed","err":{"message":"EIO"}}'), 'start failed: EIO');
});

test('information and stack lines explain nothing', () => {
  assert.equal(reasonIn('{"level":30,"msg":"ready"}'), undefined);
  assert.equal(reasonIn('    at Object.<anonymous> (file.ts:1:1)'), undefined);
  assert.equal(reasonIn(''), undefined);
});
