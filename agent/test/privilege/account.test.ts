import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { findAccount } from '../../src/privilege/account.ts';
import { tempFolder } from '../support/temp-folder.ts';

test('a user is found by its whole name, or given by two numbers', (t) => {
  const file = join(tempFolder(t), 'passwd');
  writeFileSync(
    file,
    'root:x:0:0::/root:/bin/sh\ntcptrail-old:x:7:8::/:\ntcptrail:x:998:997::/:\nbroken:x\n',
  );
  assert.deepEqual(findAccount('tcptrail', file), { name: 'tcptrail', uid: 998, gid: 997 });
  assert.deepEqual(findAccount('65534:65533', file), { name: '65534:65533', uid: 65_534, gid: 65_533 });
  for (const user of ['tcp', 'broken', '', '998', '-1:2']) assert.equal(findAccount(user, file), undefined);
  assert.equal(findAccount('tcptrail', '/nowhere'), undefined);
});
