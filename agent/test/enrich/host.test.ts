import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readHost } from '../../src/enrich/host.ts';
import { tempFolder } from '../support/temp-folder.ts';

test('the configured host id and name win', (t) => {
  const host = readHost({ hostId: 'h1', hostName: 'web-1', hostIdFile: join(tempFolder(t), 'host-id') });
  assert.deepEqual([host.host_id, host.host_name], ['h1', 'web-1']);
  assert.match(host.boot_id, /^[0-9a-f]{8}-/);
  assert.notEqual(host.kernel_release, '');
});

test('the machine id is the host id by default', (t) => {
  const folder = tempFolder(t);
  const machineId = join(folder, 'machine-id');
  writeFileSync(machineId, 'feed\n');
  const files = { machineId, bootId: '/proc/sys/kernel/random/boot_id' };
  const hostIdFile = join(folder, 'host-id');
  assert.equal(readHost({ hostId: '', hostName: '', hostIdFile }, files).host_id, 'feed');
  assert.equal(existsSync(hostIdFile), false);
});

test('without a machine id one is made once and kept', (t) => {
  for (const content of [undefined, '', 'uninitialized\n']) {
    const folder = tempFolder(t);
    const machineId = join(folder, 'machine-id');
    if (content !== undefined) writeFileSync(machineId, content);
    const files = { machineId, bootId: '/proc/sys/kernel/random/boot_id' };
    const config = { hostId: '', hostName: '', hostIdFile: join(folder, 'host-id') };
    const first = readHost(config, files).host_id;
    assert.match(first, /^[0-9a-f]{32}$/);
    assert.equal(readHost(config, files).host_id, first);
  }
});

test('a host without /proc is refused in one sentence', (t) => {
  const files = { machineId: '/nowhere', bootId: '/nowhere/boot_id' };
  const config = { hostId: 'h', hostName: '', hostIdFile: join(tempFolder(t), 'host-id') };
  assert.throws(() => readHost(config, files), { code: 'AGENT_HOST_UNREADABLE', exitCode: 3 });
});
