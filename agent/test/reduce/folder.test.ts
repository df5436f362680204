import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ENUMS } from '@tcptrail/schemas/enums.ts';
import { EVENT_FIELDS, type Field } from '@tcptrail/schemas/fields.ts';
import { CLOSE, SINCE_NS, type Values } from '../support/closes.ts';
import { createReducedBatches, type Options } from '../support/reduced-batches.ts';

/** A pipeline that has seen the key of `CLOSE` before, so that the next ones may be folded. */
function warm(options: Options = {}) {
  const pipeline = createReducedBatches(options);
  pipeline.append({ seq: 1_000 });
  pipeline.close();
  return pipeline;
}

const shapes = (rows: readonly Record<string, unknown>[]): unknown[] =>
  rows.map(({ kind, connections, folded }) => [kind, connections, folded]);

test('the first connection of a key ever is a row of its own, those after it are one', () => {
  const { append, close } = createReducedBatches();
  append({ seq: 1 }, { seq: 2 }, { seq: 3 }, { seq: 4 });
  assert.deepEqual(shapes(close()), [
    ['close', 1, 0],
    ['summary', 3, 2],
  ]);
});

test('the only one of its key in a batch stays as it was, in every field', () => {
  const folding = warm();
  const plain = warm({ fold: false });
  for (const { append } of [folding, plain]) append({ seq: 2, peer_port: 41_000, duration_us: 123 });
  assert.deepEqual(folding.close(), plain.close());
});

test('a summary sums up, averages, and takes number and socket of the last', () => {
  const { append, close } = warm();
  append(
    {
      seq: 5,
      cpu: 1,
      socket_cookie: 50,
      bytes_sent: 2 ** 32 - 1,
      rtt_us: 100,
      min_rtt_us: 0,
      duration_us: 999,
    },
    { seq: 6, cpu: 2, socket_cookie: 60, bytes_sent: 1, rtt_us: 201, min_rtt_us: 95, duration_us: 1 },
    {
      seq: 7,
      cpu: 3,
      socket_cookie: 70,
      generation: 2,
      bytes_sent: 4,
      duration_us: 0,
      rtt_us: 150,
      min_rtt_us: 90,
      ts: SINCE_NS + 9_000_000_000n,
    },
  );
  const [row = {}] = close();
  const { kind, cpu, seq, socket_cookie, generation, connections, folded, bytes_sent, duration_us } = row;
  assert.deepEqual(
    { kind, cpu, seq, socket_cookie, generation, connections, folded, bytes_sent, duration_us },
    {
      kind: 'summary',
      cpu: 3,
      seq: 7,
      socket_cookie: 70,
      generation: 2,
      connections: 3,
      folded: 2,
      bytes_sent: 2 ** 32 + 4,
      duration_us: 1_000,
    },
  );
  assert.deepEqual([row['rtt_us'], row['min_rtt_us'], row['segs_out']], [150, 90, 15]);
  assert.deepEqual(row['rtt_histogram'], [0, 0, 0, 0, 0, 0, 1, 2]);
  assert.equal(row['ts'], 1_700_000_000_000_000 + 14_000_000);
  append({ seq: 8, rtt_us: 1 }, { seq: 9, rtt_us: 2 });
  assert.deepEqual(close()[0]?.['rtt_histogram'], [1, 1], 'the next batch begins anew');
});

test('a server is summed up by its own port, a client by the port of the peer', () => {
  const ends = (role: string, change: (index: number) => Values): unknown => {
    const { append, close } = createReducedBatches();
    append(...[1, 2, 3].map((seq) => ({ seq, role, ...change(seq) })));
    return close().map(({ kind, local_port, peer_port }) => [kind, local_port, peer_port]);
  };
  assert.deepEqual(
    ends('server', (index) => ({ local_port: 443, peer_port: 40_000 + index })),
    [
      ['close', 443, 40_001],
      ['summary', 443, 0],
    ],
  );
  assert.deepEqual(
    ends('client', (index) => ({ local_port: 40_000 + index, peer_port: 443 })),
    [
      ['close', 40_001, 443],
      ['summary', 0, 443],
    ],
  );
  const kinds = ends('server', (index) => ({ local_port: 443 + index }));
  assert.deepEqual(kinds, [
    ['close', 444, 40_000],
    ['close', 445, 40_000],
    ['close', 446, 40_000],
  ]);
});

/** Another value than the one of `CLOSE`. */
function otherValue({ name, type }: Field): Values[string] {
  const value = CLOSE[name];
  if (typeof type === 'object') return ENUMS[type.enum].findLast((symbol) => symbol !== value) ?? '';
  if (type === 'bool') return !value;
  if (type === 'address') return '10.9.9.9';
  return type === 'name16' ? 'bbr' : Number(value ?? 0) + 1;
}

const kernelFields = (form: Field['summary']): readonly Field[] =>
  EVENT_FIELDS.filter(({ stage, summary }) => stage === 'kernel' && summary === form);

for (const field of kernelFields('zero')) {
  test(`a connection whose ${field.name} is not 0 stays a row of its own`, () => {
    const { append, close } = warm();
    append({ seq: 2 }, { seq: 3, [field.name]: otherValue(field) }, { seq: 4 });
    const rows = close();
    assert.deepEqual(shapes(rows), [
      ['close', 1, 0],
      ['summary', 2, 1],
    ]);
    assert.equal(rows[0]?.['seq'], 3);
  });
}

for (const field of kernelFields('same')) {
  test(`connections that differ in ${field.name} are not folded into one`, () => {
    const { append, close } = warm();
    const other = { [field.name]: otherValue(field) };
    append({ seq: 2 }, { seq: 3, ...other }, { seq: 4 }, { seq: 5, ...other });
    const rows = close();
    for (const row of rows.filter(({ kind }) => kind === 'summary')) {
      assert.equal(row['connections'], 2, 'those of one value');
    }
    assert.ok(rows.length >= 2);
  });
}

test('failures, other kinds, and ends that are not ordinary stay rows of their own', () => {
  const changes: readonly Values[] = [
    { kind: 'fail', verdict: 'refused', errno: 111 },
    { kind: 'open' },
    { kind: 'update' },
    { kind: 'retransmit' },
    { verdict: 'reset_received' },
    { verdict: 'timed_out' },
    { verdict: 'unaccepted' },
    { verdict: 'unknown' },
    { errno_known: false },
    { established_ts: 0 },
    { pid: 0, comm: '', uid: 0, process_start_ts: 0 },
    { role: 'unknown' },
    { duration_us: 1_000_000 },
    { duration_us: 2n ** 32n + 1n },
    { start_ts: SINCE_NS - 1n },
    { segs_out: 65_536 },
    { bytes_sent: 2n ** 32n },
  ];
  for (const change of changes) {
    const { append, close } = createReducedBatches();
    append(...[1, 2, 3].map((seq) => ({ seq, ...change })));
    assert.equal(
      close().length,
      3,
      JSON.stringify(change, (_, value) => String(value)),
    );
  }
});

test('connections shorter than the hold are folded up to its last microsecond, since the start of the agent', () => {
  const pipeline = createReducedBatches({ openHoldMs: 7 });
  const { append, close } = pipeline;
  append({ seq: 1, duration_us: 0 });
  close();
  append(
    { seq: 2, duration_us: 6_999, start_ts: SINCE_NS },
    { seq: 3, duration_us: 7_000 },
    { seq: 4, duration_us: 1, start_ts: SINCE_NS - 1n },
    { seq: 5, duration_us: 1 },
  );
  assert.deepEqual(shapes(close()), [
    ['close', 1, 0],
    ['close', 1, 0],
    ['summary', 2, 1],
  ]);
});

test('processes of one program are folded into one row that names the program, not a process', () => {
  const pipeline = warm({ executableOf: (pid) => (pid < 200 ? '/usr/sbin/nginx' : '/usr/bin/other') });
  const { append, close, batches } = pipeline;
  append({ seq: 2, pid: 101 }, { seq: 3, pid: 102 }, { seq: 4, pid: 102 });
  const [row, ...more] = close();
  assert.equal(more.length, 0);
  const owner = batches.at(-1)?.owners[Number(row?.['owner'])];
  assert.deepEqual(
    [
      owner?.['pid'],
      owner?.['process_start_ts'],
      owner?.['executable'],
      owner?.['comm'],
      owner?.['command_line'],
    ],
    [0, 0, '/usr/sbin/nginx', 'nginx', ''],
  );
  append({ seq: 5, pid: 101 }, { seq: 6, pid: 101 });
  const [alone] = close();
  assert.equal(batches.at(-1)?.owners[Number(alone?.['owner'])]?.['pid'], 101);
  append({ seq: 7, pid: 101 }, { seq: 8, pid: 201 }, { seq: 9, pid: 201 }, { seq: 10, pid: 101 });
  assert.deepEqual(shapes(close()), [
    ['close', 1, 0],
    ['summary', 2, 1],
    ['close', 1, 0],
  ]);
});

test('a process that was forgotten within the batch is the same process still', () => {
  const executableOf = (pid: number): string => (pid < 200 ? '/usr/sbin/nginx' : '/usr/bin/other');
  const { append, close, batches } = warm({ executableOf, ownersMax: 3 });
  // Pids 256 apart push each other out of what was seen last.
  append({ seq: 2, pid: 101 }, { seq: 3, pid: 357 }, { seq: 4, pid: 613 }, { seq: 5, pid: 101 });
  const summary = close().find(({ kind }) => kind === 'summary');
  assert.equal(summary?.['connections'], 2);
  assert.equal(batches.at(-1)?.owners[Number(summary?.['owner'])]?.['pid'], 101);
});

test('a batch carries no owner of which it has no row', () => {
  const { append, close, batches } = warm();
  append(...Array.from({ length: 50 }, (_, index) => ({ seq: index + 2, pid: 101 + index })));
  assert.equal(close().length, 1);
  assert.equal(batches.at(-1)?.owners.length, 2, 'the unknown one and the program');
});

test('a batch is full by the rows it will have, held ones too', () => {
  const { append, batches, close } = createReducedBatches({ rowsMax: 4 });
  const peers = [1, 2, 3, 4, 5, 6];
  append(...peers.map((peer) => ({ seq: peer, peer_address: `10.0.1.${peer}` })));
  close();
  const before = batches.length;
  append(
    ...[0, 10, 20].flatMap((more) =>
      peers.map((peer) => ({ seq: 10 + more + peer, peer_address: `10.0.1.${peer}` })),
    ),
  );
  close();
  assert.ok(batches.length > before + 1);
  for (const { events } of batches) assert.ok(events.length <= 4);
  const ended = batches
    .flatMap(({ events }) => events)
    .reduce((sum, row) => sum + Number(row['connections']), 0);
  assert.equal(ended, 24);
});

test('more connections than one summary may stand for make another', () => {
  const { append, close } = warm();
  append(...Array.from({ length: 65_536 + 2 }, (_, index) => ({ seq: index + 2, segs_out: 65_535 })));
  const rows = close();
  assert.deepEqual(shapes(rows), [
    ['summary', 65_536, 65_535],
    ['summary', 2, 1],
  ]);
  assert.equal(rows[0]?.['segs_out'], 65_536 * 65_535);
});

test('a batch has room for the rows it holds, and the next one as much', () => {
  const { append, close, reducer, batches } = createReducedBatches({ bytesMax: 20_000 });
  const peers = Array.from({ length: 14 }, (_, index) => `10.0.2.${index}`);
  append(...peers.map((peer_address, index) => ({ seq: index + 1, peer_address })));
  close();
  const numbers = { segs_out: 60_000, bytes_sent: 2 ** 31, tcp_bytes_sent: 2 ** 31, rtt_us: 2 ** 30 };
  append(...peers.map((peer_address, index) => ({ ...numbers, seq: index + 20, peer_address })));
  append(...Array.from({ length: 300 }, (_, index) => ({ seq: index + 50, kind: 'fail' })));
  close();
  assert.equal(batches.flatMap(({ events }) => events).length, 14 + 14 + 300);
  append({ seq: 400, peer_address: peers[0] ?? '' });
  assert.equal(reducer.isFull(), false);
  assert.equal(reducer.rows, 1);
});
