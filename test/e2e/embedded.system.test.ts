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
  readonly executable: string;
  readonly local_address: string;
  readonly local_port: number;
  readonly peer_address: string;
  readonly peer_port: number;
  readonly bytes_sent: string;
  readonly bytes_received: string;
  readonly errno: number;
}

const ENDED = `
  SELECT if(kind = 'fail', 'refused', toString(role)) AS side, pid, comm, executable, local_address, local_port, peer_address,
         peer_port, bytes_sent, bytes_received, errno
  FROM tcp_events
  WHERE pid IN {pids:Array(UInt32)} AND kind IN ('close', 'fail')`;

const mapped = (address: string): string => (address.includes('.') ? `::ffff:${address}` : address);

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
  const found = rows.map((row) => {
    const { side, pid, comm, executable, bytes_sent: sent, bytes_received: received, errno } = row;
    const ends = `${row.local_address}:${row.local_port} > ${row.peer_address}:${row.peer_port}`;
    return `${side} ${ends} ${pid} ${comm} ${executable} sent ${sent} received ${received} errno ${errno}`;
  });
  const expected = truths.map((truth) => {
    const { side, pid, comm, bytesSent: sent, bytesReceived: received, errno } = truth;
    const ends = `${mapped(truth.localAddress)}:${truth.localPort} > ${mapped(truth.peerAddress)}:${truth.peerPort}`;
    return `${side} ${ends} ${pid} ${comm} ${process.execPath} sent ${sent} received ${received} errno ${errno}`;
  });
  assert.deepEqual(found.toSorted(), expected.toSorted());
});

test('after the agent has stopped, completeness is exact on every CPU', async () => {
  await stack.agent.end();
  await until('everything spooled to be stored', () => stack.caughtUp());
  const numbered = await stack.rows<Record<string, string>>('SELECT * FROM completeness');
  assert.ok(numbered.length > 0);
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
