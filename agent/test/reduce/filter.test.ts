import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFilter, type FilterRule } from '../../src/reduce/filter.ts';
import { closeOf, type Values } from '../support/closes.ts';
import { createReducedBatches } from '../support/reduced-batches.ts';

function matches(rule: Omit<FilterRule, 'name'>, record: Values, cgroupPath = ''): boolean {
  const { words, bytes, at } = closeOf(record);
  return createFilter([{ name: 'rule', ...rule }]).match(words, bytes, at, () => cgroupPath) === 0;
}

test('a port is that of the service, whichever end it is', () => {
  const server = { role: 'server', local_port: 9100, peer_port: 40_000 };
  const client = { role: 'client', local_port: 40_000, peer_port: 9100 };
  const unknown = { ...client, role: 'unknown' };
  for (const record of [server, client, unknown]) assert.equal(matches({ ports: [80, 9100] }, record), true);
  assert.equal(matches({ ports: [40_000] }, server), false);
  assert.equal(matches({ ports: [40_000] }, client), false);
  assert.equal(matches({ ports: [40_000] }, unknown), true);
  const listener = { kind: 'listen', role: 'unknown', local_port: 9100, peer_port: 0 };
  assert.equal(matches({ ports: [9100] }, listener), true);
});

test('a peer is the other end, of which a listener has none', () => {
  const record = { local_address: '10.1.1.1', peer_address: '10.2.2.2' };
  assert.equal(matches({ peers: ['10.2.0.0/16'] }, record), true);
  assert.equal(matches({ peers: ['10.1.0.0/16'] }, record), false);
  assert.equal(matches({ peers: ['10.9.0.0/16', '10.2.2.2'] }, record), true);
  const listener = { kind: 'listener', local_address: '::0', peer_address: '::0' };
  assert.equal(matches({ peers: ['::/0'] }, listener), false);
  assert.equal(matches({ peers: ['::/0'] }, record), true);
});

test('a user is that of the process, and of the socket where there is none', () => {
  assert.equal(matches({ uids: [33] }, { uid: 33, socket_uid: 0 }), true);
  assert.equal(matches({ uids: [0] }, { uid: 33, socket_uid: 0 }), false);
  assert.equal(matches({ uids: [0] }, { pid: 0, uid: 0, socket_uid: 33 }), false);
  assert.equal(matches({ uids: [33] }, { pid: 0, uid: 0, socket_uid: 33 }), true);
});

test('a cgroup holds those below it, not those whose name begins alike', () => {
  const rule = { cgroups: ['/system.slice/backup.service/', '/test'] };
  const inside = (path: string): boolean => matches(rule, {}, path);
  assert.deepEqual(
    ['/system.slice/backup.service', '/system.slice/backup.service/a', '/test/b'].map(inside),
    [true, true, true],
  );
  assert.deepEqual(['/system.slice/backup.services', '/system.slice', '/', '', '/tests'].map(inside), [
    false,
    false,
    false,
    false,
    false,
  ]);
  assert.equal(matches({ cgroups: ['/'] }, {}, '/any'), true);
  assert.equal(matches({ cgroups: ['/'] }, {}, '/'), true);
});

test('all conditions of a rule must be met, and the first rule that is met counts', () => {
  const both = { ports: [443], peers: ['10.0.0.2'] };
  assert.equal(matches(both, {}), true);
  assert.equal(matches(both, { peer_address: '10.0.0.3' }), false);
  assert.equal(matches(both, { local_port: 80 }), false);
  assert.equal(matches({}, {}), false, 'a rule without conditions');
  const { words, bytes, at } = closeOf();
  const filter = createFilter([
    { name: 'never', ports: [1] },
    { name: 'first', ports: [443] },
    { name: 'second', uids: [33] },
  ]);
  assert.equal(filter.names[filter.match(words, bytes, at, () => '')], 'first');
});

test('a filter is changed between two records, and what it left out stays counted under its name', () => {
  const { append, close, reducer, batches } = createReducedBatches({
    fold: false,
    filters: [{ name: 'https', ports: [443] }],
  });
  append({ seq: 1 }, { seq: 2, local_port: 80 });
  reducer.setFilter(createFilter([{ name: 'http', ports: [80] }]), 0n);
  append({ seq: 3 }, { seq: 4, local_port: 80 }, { seq: 5, local_port: 80 });
  reducer.setFilter(createFilter([]), 0n);
  append({ seq: 6, local_port: 80 });
  assert.deepEqual(
    close().map(({ seq }) => seq),
    [2, 3, 6],
  );
  assert.deepEqual(
    ((batches.at(-1)?.['rules'] ?? []) as object[]).map((rule) => ({ ...rule })),
    [
      { rule: 'https', folded: 0, filtered: 1 },
      { rule: 'http', folded: 0, filtered: 2 },
    ],
  );
});

test('a filter by cgroup asks for the path of the owner', () => {
  const { append, close } = createReducedBatches({
    fold: false,
    filters: [{ name: 'nginx', cgroups: ['/system.slice/nginx.service'] }],
  });
  append({ seq: 1 }, { seq: 2, pid: 0, comm: '', uid: 0, process_start_ts: 0 });
  assert.deepEqual(
    close().map(({ seq }) => seq),
    [2],
  );
});

test('a record that no event can be made of is bad, whatever a rule says of it', () => {
  const { append, close, reducer } = createReducedBatches({ filters: [{ name: 'all', peers: ['::/0'] }] });
  append({ seq: 0 }, { kind: 'unknown' }, { seq: 3, cpu: 4 });
  assert.deepEqual(close(), []);
  assert.deepEqual(reducer.counts.totals, { folded: 0, filtered: 0 });
});
