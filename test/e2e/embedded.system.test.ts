import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { runLoad } from '../harness/load.ts';
import { createStack, type Stack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';
import type { Truth } from '../load/connections.ts';

const COUNT = 1000;
const REFUSED = 50;

let stack: Stack;
let truths: readonly Truth[] = [];

interface Row {
  readonly side: string;
  readonly pid: number;
  readonly comm: string;
  readonly local_address: string;
  readonly local_port: number;
  readonly peer_address: string;
  readonly peer_port: number;
  readonly bytes_sent: string;
  readonly bytes_received: string;
  readonly errno: number;
}

const ENDED = `
  SELECT if(kind = 'fail', 'refused', toString(role)) AS side, pid, comm, local_address, local_port, peer_address,
         peer_port, bytes_sent, bytes_received, errno
  FROM tcp_events
  WHERE pid IN {pids:Array(UInt32)} AND kind IN ('close', 'fail')
    AND NOT (peer_port = 53 OR local_address = '::')`;

const mapped = (address: string): string => (address.includes('.') ? `::ffff:${address}` : address);

/** The ends of a connection as one side sees them. */
const place = (row: {
  side: string;
  localAddress: string;
  localPort: number;
  peerAddress: string;
  peerPort: number;
}): string => `${row.side} ${row.localAddress}:${row.localPort} > ${row.peerAddress}:${row.peerPort}`;

before(async () => {
  stack = await createStack();
  await stack.startServer();
  stack.startConsumer();
  await stack.startAgent();
  truths = await runLoad({ count: COUNT, refused: REFUSED, seed: 42 });
  const pids = [...new Set(truths.map((truth) => truth.pid))];
  await until('every connection to be queryable', async () => {
    const rows = await stack.rows<Row>(ENDED, { pids }).catch(() => []);
    return rows.length >= truths.length;
  });
});
after(() => stack?.stop());

test(`the load was ${COUNT} connections over IPv4 and IPv6, ${REFUSED} of them refused`, () => {
  assert.equal(truths.filter((truth) => truth.side === 'client').length, COUNT - REFUSED);
  assert.equal(truths.filter((truth) => truth.side === 'server').length, COUNT - REFUSED);
  assert.equal(truths.filter((truth) => truth.side === 'refused').length, REFUSED);
  assert.ok(truths.some((truth) => truth.localAddress === '::1' && truth.side === 'refused'));
  assert.ok(truths.some((truth) => truth.localAddress === '127.0.0.1' && truth.side === 'refused'));
});

test('SQL finds each side exactly once, with its addresses, ports, process, bytes and errno', async () => {
  const pids = [...new Set(truths.map((truth) => truth.pid))];
  const rows = await stack.rows<Row>(ENDED, { pids });
  const fact = (bytes: { sent: unknown; received: unknown; pid: number; errno: number }): string =>
    `pid ${bytes.pid} sent ${bytes.sent} received ${bytes.received} errno ${bytes.errno}`;
  const found = rows.map((row) => {
    const ends = {
      side: row.side,
      localAddress: row.local_address,
      localPort: row.local_port,
      peerAddress: row.peer_address,
      peerPort: row.peer_port,
    };
    return `${place(ends)} ${fact({ sent: row.bytes_sent, received: row.bytes_received, pid: row.pid, errno: row.errno })}`;
  });
  const expected = truths.map((truth) => {
    const ends = {
      ...truth,
      localAddress: mapped(truth.localAddress),
      peerAddress: mapped(truth.peerAddress),
    };
    return `${place(ends)} ${fact({ sent: truth.bytesSent, received: truth.bytesReceived, pid: truth.pid, errno: truth.errno })}`;
  });
  assert.deepEqual(found.toSorted(), expected.toSorted());
  assert.deepEqual(
    [...new Set(rows.map((row) => row.comm))],
    [process.title.split('/').at(-1) === 'node' ? 'node' : rows[0]?.comm],
  );
});

test('after the agent has stopped, completeness is exact on every CPU', async () => {
  await stack.agent.end();
  const numbered = await until('the last account to arrive', async () => {
    const rows = await stack.rows<Record<string, string>>('SELECT * FROM completeness');
    return rows.length > 0 && rows.every((row) => row['waiting'] === '0' || Number(row['waiting']) === 0)
      ? rows
      : undefined;
  });
  for (const row of numbered) {
    const value = (name: string): number => Number(row[name]);
    assert.equal(
      value('numbered'),
      value('rows') + value('failed') + value('folded') + value('filtered'),
      JSON.stringify(row),
    );
    for (const name of ['unspooled', 'parked', 'lost', 'doubled'])
      assert.equal(value(name), 0, `${name}: ${JSON.stringify(row)}`);
  }
  const stored = await stack.rows<{ stored: string }>('SELECT count() AS stored FROM tcp_events');
  assert.equal(
    numbered.reduce((sum, row) => sum + Number(row['stored']), 0),
    Number(stored[0]?.stored),
  );
});
