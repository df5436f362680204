import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { readResetReasons } from '../../src/enrich/reset-reasons.ts';

const BTF = '/sys/kernel/btf/vmlinux';

/** bpftool's reading of the enum: number → name; empty before Linux 6.10. */
function oracle(): Map<number, string> {
  const dump = spawnSync('bpftool', ['btf', 'dump', 'file', BTF, 'format', 'raw'], {
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  });
  assert.equal(dump.status, 0, dump.stderr);
  const body = /ENUM(?:64)? 'sk_rst_reason' .*\n((?:\t.*\n)+)/.exec(dump.stdout)?.[1] ?? '';
  return new Map(
    [...body.matchAll(/'(\w+)' val=(-?\d+)/g)].map(([, name = '', value]) => [Number(value), name]),
  );
}

test('the running kernel names its reset reasons as bpftool reads them', {
  skip: existsSync(BTF) ? false : `this kernel has no ${BTF}`,
}, () => {
  const reason = readResetReasons();
  const expected = oracle();
  for (const [code, name] of expected) {
    const short = name.replace(/^SK_RST_REASON_/, '').toLowerCase();
    assert.equal(reason(code), short === 'max' ? '' : short);
  }
  const known = [...expected.keys()].map(reason);
  assert.equal(known.includes('no_socket'), expected.size > 0);
  assert.equal(reason(65_535), '');
});
