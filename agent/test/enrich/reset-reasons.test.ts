import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readResetReasons } from '../../src/enrich/reset-reasons.ts';
import { createBtf } from '../support/btf.ts';
import { tempFolder } from '../support/temp-folder.ts';

test('a reason is its enumerator in lower case without the prefix; numbers that are none have no name', (t) => {
  const btf = createBtf();
  const names = ['NOT_SPECIFIED', 'NO_SOCKET', 'TCP_RFC7323_PAWS', 'MAX'];
  const members = names.map((name, value) => [btf.text(`SK_RST_REASON_${name}`), value]);
  btf.type({
    kind: 6,
    name: 'sk_rst_reason',
    members: [...members, [btf.text('SK_RST_REASON_NO'), 0xffffffff]],
  });
  const file = join(tempFolder(t), 'vmlinux');
  writeFileSync(file, btf.blob());
  const reason = readResetReasons(file);
  assert.deepEqual([0, 1, 2, 3, 4, -1, 65_535].map(reason), [
    'not_specified',
    'no_socket',
    'tcp_rfc7323_paws',
    '',
    '',
    '',
    '',
  ]);
});

test('without the enum, or without BTF, every reason is empty', (t) => {
  const file = join(tempFolder(t), 'vmlinux');
  assert.equal(readResetReasons(file)(1), '');
  writeFileSync(file, createBtf().blob());
  assert.equal(readResetReasons(file)(1), '');
});
