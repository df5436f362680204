/** Connections whose truth is known, and whether the spool tells it: the first check of a kernel. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SpooledBatch } from './spooled.ts';

const REQUEST = Buffer.alloc(10_000, 'q');
const ANSWER = Buffer.alloc(20_000, 'a');
/** Longer than the agent holds back an `open`. */
const HOLD_MS = 1_500;
const ECONNREFUSED = 111;

interface Exchange {
  readonly client: number;
  readonly server: number;
}

export interface SmokeTruth {
  readonly exchanges: readonly Exchange[];
  /** Port where nobody listened. */
  readonly refused: number;
}

/** Three short exchanges and a long one over each address family, and one refused connect. */
export async function makeTraffic(): Promise<SmokeTruth> {
  const exchanges: Exchange[] = [];
  let refused = 0;
  for (const host of ['127.0.0.1', '::1']) {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.resume().once('end', () => socket.end(ANSWER));
    });
    server.listen(0, host);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    for (const holdMs of [0, 0, 0, HOLD_MS])
      exchanges.push({ server: port, client: await exchange(host, port, holdMs) });
    server.close();
    await once(server, 'close');
    refused = port;
    await once(connect(port, host), 'error');
  }
  return { exchanges, refused };
}

/** Port of the client. */
async function exchange(host: string, port: number, holdMs: number): Promise<number> {
  const socket = connect({ host, port, allowHalfOpen: true });
  await once(socket, 'connect');
  const { localPort = 0 } = socket;
  socket.write(REQUEST);
  await sleep(holdMs);
  socket.end();
  socket.resume();
  await once(socket, 'close');
  return localPort;
}

type Facts = Readonly<Record<string, (batches: readonly SpooledBatch[], truth: SmokeTruth) => void>>;

/** A fact → what throws where the spool says otherwise. */
export const SMOKE_FACTS: Facts = {
  'both ends of every connection are closed once, with their bytes and their process': (batches, truth) => {
    for (const { client, server } of truth.exchanges) {
      const ends = [
        { role: 'client', local_port: client, peer_port: server, sent: REQUEST, received: ANSWER },
        { role: 'server', local_port: server, peer_port: client, sent: ANSWER, received: REQUEST },
      ];
      for (const { sent, received, ...end } of ends) {
        const closes = rowsOf(batches, { kind: 'close', ...end });
        const expected = {
          bytes_sent: BigInt(sent.length),
          bytes_delivered: BigInt(sent.length),
          bytes_received: BigInt(received.length),
          pid: BigInt(process.pid),
          executable: process.execPath,
        };
        assert.deepEqual(
          closes.map((row) => pick(row, expected)),
          [expected],
          `${end.role} of ${client}`,
        );
      }
    }
  },
  'a refused connect is one fail with the error of the kernel': (batches, { refused }) => {
    const fails = rowsOf(batches, { kind: 'fail', peer_port: refused });
    const expected = { errno: BigInt(ECONNREFUSED), errno_known: true, pid: BigInt(process.pid) };
    assert.deepEqual(
      fails.map((row) => pick(row, expected)),
      [expected],
    );
  },
  'every number that the kernel gave is a row': (batches) => {
    const rows = batches.reduce((sum, { events }) => sum + events.length, 0);
    const cpus = batches.at(-1)?.cpus ?? [];
    assert.ok(rows > 0);
    assert.equal(
      cpus.reduce((sum, { seq_last = 0n }) => sum + seq_last, 0n),
      BigInt(rows),
    );
  },
};

type Row = Readonly<Record<string, unknown>>;

/** Rows with all of `wanted`, their owner's fields beside their own; whole numbers as bigint. */
function rowsOf(batches: readonly SpooledBatch[], wanted: Row): Row[] {
  return batches
    .flatMap(({ events, owners }) =>
      events.map((event): Row => ({ ...owners[Number(event['owner'])], ...event })),
    )
    .filter((row) => Object.entries(wanted).every(([name, value]) => row[name] === value))
    .map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, whole(value)])));
}

function pick(row: Row, like: Row): Row {
  return Object.fromEntries(Object.keys(like).map((name) => [name, row[name]]));
}

const whole = (value: unknown): unknown => (typeof value === 'number' ? BigInt(value) : value);
