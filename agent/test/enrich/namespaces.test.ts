import assert from 'node:assert/strict';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createNamespaces } from '../../src/enrich/namespaces.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** A /proc with processes that live in a namespace and see its counters. */
function fakeProc(t: TestContext) {
  const path = tempFolder(t);
  return {
    path,
    process(name: string, namespace: number, counters: Readonly<Record<string, number | string>>) {
      const folder = join(path, name);
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(join(folder, 'ns'), { recursive: true });
      mkdirSync(join(folder, 'net'));
      symlinkSync(`net:[${namespace}]`, join(folder, 'ns/net'));
      const [names, values] = [Object.keys(counters), Object.values(counters)];
      const text = `TcpExt: TW ${names.join(' ')}\nTcpExt: 9 ${values.join(' ')}\nIpExt: ListenDrops\nIpExt: 99\n`;
      writeFileSync(join(folder, 'net/netstat'), text);
    },
    end: (name: string) => rmSync(join(path, name), { recursive: true }),
  };
}

const owner = (pid: number, namespace: number) => ({ pid, process_network_namespace: namespace });
const count = (namespace: number, counter: string, value: number) => ({
  network_namespace: namespace,
  counter,
  value,
});

test('the namespace of the agent is always read; counters that are 0, absent or of another kind are left out', (t) => {
  const proc = fakeProc(t);
  proc.process('self', 1, { SyncookiesSent: 0, ListenOverflows: 3, ListenDrops: 5, TCPTimeouts: 8 });
  const namespaces = createNamespaces({}, { procPath: proc.path });
  const expected = [count(1, 'ListenOverflows', 3), count(1, 'ListenDrops', 5)];
  assert.deepEqual(namespaces.counts(), expected);
  proc.process('10', 1, { ListenDrops: 5 });
  namespaces.note(owner(10, 1));
  assert.deepEqual(namespaces.counts(), expected, 'read once');
});

test('a namespace is read through whichever of its processes is alive, and forgotten with the last', (t) => {
  const proc = fakeProc(t);
  proc.process('self', 1, {});
  for (const pid of ['20', '21']) proc.process(pid, 2, { SyncookiesSent: 7 });
  const namespaces = createNamespaces({}, { procPath: proc.path });
  for (const pid of [20, 21]) namespaces.note(owner(pid, 2));
  assert.deepEqual(namespaces.counts(), [count(2, 'SyncookiesSent', 7)]);
  proc.end('21');
  assert.deepEqual(namespaces.counts(), [count(2, 'SyncookiesSent', 7)]);
  proc.end('20');
  assert.deepEqual(namespaces.counts(), []);
  proc.process('20', 2, { SyncookiesSent: 8 });
  assert.deepEqual(namespaces.counts(), [], 'forgotten');
  namespaces.note(owner(20, 2));
  assert.deepEqual(namespaces.counts(), [count(2, 'SyncookiesSent', 8)]);
});

test('a pid that now belongs to another namespace tells nothing of the old one', (t) => {
  const proc = fakeProc(t);
  proc.process('self', 1, {});
  proc.process('30', 3, { ListenDrops: 1 });
  const namespaces = createNamespaces({}, { procPath: proc.path });
  namespaces.note(owner(30, 2));
  assert.deepEqual(namespaces.counts(), []);
});

test('owners without a process or a namespace are none', (t) => {
  const proc = fakeProc(t);
  proc.process('0', 2, { ListenDrops: 1 });
  proc.process('40', 0, { ListenDrops: 1 });
  const namespaces = createNamespaces({}, { procPath: proc.path });
  namespaces.note(owner(0, 2));
  namespaces.note(owner(40, 0));
  assert.deepEqual(namespaces.counts(), []);
});

test('beyond the limit the namespace heard of longest ago is forgotten', (t) => {
  const proc = fakeProc(t);
  for (const [pid, namespace] of [
    ['50', 5],
    ['60', 6],
    ['70', 7],
  ] as const)
    proc.process(pid, namespace, { ListenDrops: namespace });
  const namespaces = createNamespaces({ namespacesMax: 2 }, { procPath: proc.path });
  for (const [pid, namespace] of [
    [50, 5],
    [60, 6],
    [50, 5],
    [70, 7],
  ] as const)
    namespaces.note(owner(pid, namespace));
  assert.deepEqual(
    namespaces.counts().map(({ value }) => value),
    [5, 7],
  );
});
