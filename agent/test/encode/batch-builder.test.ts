import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UNKNOWN_OWNER } from '@tcptrail/schemas/batch.ts';
import { EVENT_KINDS } from '@tcptrail/schemas/enums.ts';
import { RING } from '@tcptrail/schemas/generated/ring.ts';
import { createBatchBuilder } from '../../src/encode/batch-builder.ts';
import { createBatcher } from '../../src/encode/batcher.ts';
import { readDatum } from '../support/oracle.ts';
import { type RecordParts, ringOf } from '../support/ring-record.ts';

const OFFSET_US = 1_700_000_000_000_000;
const IDENTITY = {
  host_name: 'host',
  host_id: 'id',
  boot_id: 'boot',
  agent_version: '0.0.0',
  agent_epoch: OFFSET_US,
  kernel_release: '6.1',
  labels: { zone: 'north' },
};
const HEALTH = {
  capabilities: [{ program: 'state', attached: true, error: '', cost: '' }],
  cpu_us: 1,
  memory_bytes: 2,
  spool_bytes: 3,
  spool_segments: 4,
  publish_lag_us: 5,
  clock_error_us: 6,
  older_told: false,
};

function encoderOf(limits = { rowsMax: 100, bytesMax: 100_000 }) {
  const config = { ...limits, cpus: 4 };
  let bad = 0;
  const rows: [number, number][] = [];
  const data: Uint8Array[] = [];
  let own = false;
  const builder = createBatchBuilder(config, {
    owners: {
      indexOf: () => 0,
      get own() {
        return own;
      },
      bytes: 64,
      take: () => [UNKNOWN_OWNER],
    },
    clockOffsetUs: () => OFFSET_US,
    onRow: (cpu, seq) => rows.push([cpu, seq]),
    onBad: () => {
      bad += 1;
    },
    resetReason: (code) => (code === 5 ? 'no_socket' : ''),
  });
  const batcher = createBatcher(IDENTITY, {
    builder,
    nowUs: () => OFFSET_US + 9,
    accounting: () => ({
      kernel_epoch: 77,
      ring_positions: [{ ring: 'lifecycle', position: 4096 }],
      cpus: [],
      failed_reserves: [],
      rules: [],
      programs: [{ program: 'state', skipped_runs: 1, absent_runs: 0 }],
    }),
    namespaces: () => [{ network_namespace: 7, counter: 'ListenDrops', value: 3 }],
    onBatch: ({ datum }) => data.push(datum),
  });
  return {
    builder,
    batcher,
    rows,
    data,
    get bad() {
      return bad;
    },
    setOwn(value: boolean) {
      own = value;
    },
    append(...records: RecordParts[]) {
      const ring = ringOf(...records);
      for (const at of ring.at) builder.append(ring.words, ring.bytes, at);
    },
  };
}

test('an independent decoder reads the events as they were in the ring', () => {
  const { append, batcher, data, rows } = encoderOf();
  append({ kind: 'close', ts: 2_000_000n, cpu: 3, seq: 0x1_0000_0007, peerPort: 443 });
  batcher.flush();
  const batch = readDatum(data[0] ?? new Uint8Array());
  const [event] = batch.events;
  assert.equal(event?.kind, 'close');
  assert.equal(event?.ts, OFFSET_US + 2_000);
  assert.deepEqual([event?.cpu, event?.seq, event?.peer_port, event?.own], [3, 0x1_0000_0007, 443, false]);
  assert.deepEqual(rows, [[3, 0x1_0000_0007]]);
  assert.deepEqual(
    batch.owners.map((owner) => owner.pid),
    [0],
  );
  assert.equal(batch.batch_ts, OFFSET_US + 9);
  assert.deepEqual({ ...(batch.labels as object) }, { zone: 'north' });
});

test('closes and failures end one connection, other events none', () => {
  const { append, batcher, data } = encoderOf();
  const kinds = ['open', 'fail', 'close', 'retransmit', 'reset', 'listen'] as const;
  append(...kinds.map((kind) => ({ kind })));
  batcher.flush();
  const batch = readDatum(data[0] ?? new Uint8Array());
  assert.deepEqual(
    batch.events.map((event) => event.connections),
    [0, 1, 1, 0, 0, 0],
  );
});

test('a reset carries the name of its reason, and only a reset', () => {
  const { append, batcher, data } = encoderOf();
  append(
    { kind: 'reset', resetReasonCode: 5 },
    { kind: 'close', resetReasonCode: 5 },
    { kind: 'reset', resetReasonCode: 6 },
  );
  batcher.flush();
  assert.deepEqual(
    readDatum(data[0] ?? new Uint8Array()).events.map((event) => event.reset_reason),
    ['no_socket', '', ''],
  );
});

test('connections of tcptrail itself are flagged', () => {
  const { append, batcher, data, setOwn } = encoderOf();
  setOwn(true);
  append({});
  setOwn(false);
  append({ seq: 2 });
  batcher.flush();
  assert.deepEqual(
    readDatum(data[0] ?? new Uint8Array()).events.map((event) => event.own),
    [true, false],
  );
});

test('a batch is full by rows or by bytes', () => {
  const byRows = encoderOf({ rowsMax: 2, bytesMax: 100_000 });
  byRows.append({});
  assert.equal(byRows.builder.isFull(), false);
  byRows.append({ seq: 2 });
  assert.equal(byRows.builder.isFull(), true);

  const byBytes = encoderOf({ rowsMax: 1_000, bytesMax: 600 });
  for (let seq = 1; !byBytes.builder.isFull(); seq++) byBytes.append({ seq });
  byBytes.batcher.flush();
  assert.ok(readDatum(byBytes.data[0] ?? new Uint8Array()).events.length > 1);
});

test('batches are numbered without gaps; health and counters of namespaces are in heartbeats alone', () => {
  const { append, batcher, data } = encoderOf();
  batcher.flush();
  batcher.heartbeat(HEALTH);
  append({});
  batcher.heartbeat(HEALTH);
  batcher.closing({ kernel_epoch: 5, cpus: [] });
  const batches = data.map(readDatum);
  assert.deepEqual(
    batches.map((batch) => batch.batch_seq),
    [1, 2, 3, 4],
  );
  assert.deepEqual(
    batches.map((batch) => batch.events.length),
    [0, 1, 0, 0],
  );
  assert.deepEqual(
    batches.map((batch) => batch.kernel_epoch),
    [77, 77, 77, 5],
  );
  assert.deepEqual(
    batches.map((batch) => batch.health !== null),
    [true, false, true, false],
  );
  const counts = [{ network_namespace: 7, counter: 'ListenDrops', value: 3 }];
  assert.deepEqual(
    batches.map((batch) => (batch['namespaces'] as object[]).map((count) => ({ ...count }))),
    [counts, [], counts, []],
  );
  assert.equal(batcher.batchSeq, 4);
});

test('the next batch does not carry what the last one did', () => {
  const { append, batcher, data } = encoderOf();
  append({ peerPort: 1 }, { seq: 2, peerPort: 2 });
  batcher.flush();
  append({ seq: 3, peerPort: 3 });
  batcher.flush();
  assert.deepEqual(
    data.map((datum) => readDatum(datum).events.map((event) => event.peer_port)),
    [[1, 2], [3]],
  );
});

test('a record that no event can be made of is counted and leaves no trace in the batch', () => {
  const encoder = encoderOf();
  const ring = ringOf({ seq: 1 });
  const bytesOf = (change: (bytes: Buffer) => void): Uint8Array => {
    const record = Buffer.from(new ArrayBuffer(ring.bytes.length));
    record.set(ring.bytes);
    change(record);
    return record;
  };
  const bad = [
    bytesOf((bytes) => bytes.writeUInt8(200, RING.verdict)),
    bytesOf((bytes) => bytes.writeUInt8(2, RING.late)),
    bytesOf((bytes) => bytes.writeUInt8(0, RING.kind)),
    bytesOf((bytes) => bytes.writeUInt8(EVENT_KINDS.indexOf('summary'), RING.kind)),
    bytesOf((bytes) => bytes.writeUInt8(EVENT_KINDS.length, RING.kind)),
    bytesOf((bytes) => bytes.writeUInt16LE(4, RING.cpu)),
    bytesOf((bytes) => bytes.writeBigUInt64LE(0n, RING.seq)),
    bytesOf((bytes) => bytes.writeBigUInt64LE(2n ** 53n, RING.seq)),
    bytesOf((bytes) => bytes.writeBigUInt64LE(2n ** 62n, RING.start_ts)),
    bytesOf((bytes) => bytes.writeBigUInt64LE(2n ** 53n, RING.cgroup_id)),
  ];
  for (const record of bad) encoder.builder.append(new Uint32Array(record.buffer), record, 0);
  encoder.append({ seq: 2 });
  encoder.batcher.flush();
  assert.equal(encoder.bad, bad.length);
  assert.deepEqual(encoder.rows, [[0, 2]]);
  assert.deepEqual(
    readDatum(encoder.data[0] ?? new Uint8Array()).events.map((event) => event.seq),
    [2],
  );
});
