/**
 * Real connections from a process of its own, with the truth about each on stdout, one JSON object a line.
 *
 *   node connections.ts --count 1000 --refused 50 [--seed 1] [--concurrency 16] [--pause-ms 0] [--clients 1]
 *
 * A child process serves on 127.0.0.1 and ::1; this one connects. A connection sends a random request, half-closes,
 * and gets a random reply. A refused one goes to a port where nobody listens. With more clients than one, IPv4 connections come from as many
 * addresses, a few of them far more often than the others. The last line is {"done":true}.
 */
import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createConnection, createServer, type Server, type Socket } from 'node:net';
import { parseArgs } from 'node:util';
import { createRandom } from '../random.ts';

export interface Truth {
  readonly side: 'client' | 'server' | 'refused';
  readonly pid: number;
  /** The kernel's short name of the process. */
  readonly comm: string;
  readonly localAddress: string;
  readonly localPort: number;
  readonly peerAddress: string;
  readonly peerPort: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly errno: number;
  /** When the socket was seen closed, ms since the epoch. */
  readonly closedMs: number;
}

const ECONNREFUSED = 111;
const COMM = readFileSync('/proc/self/comm', 'utf8').trim();
const say = (line: unknown): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

function report(
  side: Truth['side'],
  socket: Socket,
  ends: Pick<Truth, 'localAddress' | 'localPort' | 'peerAddress' | 'peerPort'>,
): void {
  const truth: Truth = {
    side,
    pid: process.pid,
    comm: COMM,
    ...ends,
    bytesSent: socket.bytesWritten,
    bytesReceived: socket.bytesRead,
    errno: 0,
    closedMs: Date.now(),
  };
  say(truth);
}

function endsOf(socket: Socket): Pick<Truth, 'localAddress' | 'localPort' | 'peerAddress' | 'peerPort'> {
  return {
    localAddress: socket.localAddress ?? '',
    localPort: socket.localPort ?? 0,
    peerAddress: socket.remoteAddress ?? '',
    peerPort: socket.remotePort ?? 0,
  };
}

/** Child: replies to each request with as many bytes as its first four say. */
function serve(): void {
  const servers = ['127.0.0.1', '::1'].map((host) => {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      const ends = endsOf(socket);
      const head: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => {
        if (Buffer.concat(head).length < 4) head.push(chunk);
      });
      socket.on('end', () => socket.end(Buffer.alloc(Buffer.concat(head).readUInt32BE(0), 'r')));
      socket.on('close', () => report('server', socket, ends));
      socket.on('error', () => socket.destroy());
    });
    return new Promise<Server>((resolve) => server.listen(0, host, 4096, () => resolve(server)));
  });
  void Promise.all(servers).then((ready) => {
    process.send?.(ready.map((server) => server.address()));
    process.on('disconnect', () => {
      for (const server of ready) server.close();
    });
  });
}

function connectOnce(to: AddressInfo, request: Buffer, from?: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({
      host: to.address,
      port: to.port,
      allowHalfOpen: true,
      ...(from === undefined ? {} : { localAddress: from }),
    });
    let ends = endsOf(socket);
    socket.on('connect', () => {
      ends = endsOf(socket);
      socket.end(request);
    });
    socket.on('data', () => {});
    socket.on('error', reject);
    socket.on('close', () => {
      report('client', socket, ends);
      resolve();
    });
  });
}

/** The local port is ours, so that the truth is known for a socket that never connected. */
function refusedOnce(host: string, localPort: number, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host, port, localAddress: host, localPort });
    let taken = false;
    socket.on('connect', () => reject(new Error(`port ${port} is open`)));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      taken = error.code === 'EADDRINUSE';
      if (!taken && error.code !== 'ECONNREFUSED') reject(error);
    });
    socket.on('close', () => {
      // Another's; it was never ours, and nothing left this host.
      if (taken) return resolve(refusedOnce(host, localPort + REFUSED_LOCAL_PORTS, port));
      const truth: Truth = {
        side: 'refused',
        pid: process.pid,
        comm: COMM,
        localAddress: host,
        localPort,
        peerAddress: host,
        peerPort: port,
        bytesSent: 0,
        bytesReceived: 0,
        errno: ECONNREFUSED,
        closedMs: Date.now(),
      };
      say(truth);
      resolve();
    });
  });
}

/** A port where nobody listens and no ephemeral port is taken from. */
const CLOSED_PORT = 1;
/** Below the ports that a local Kafka picks from (infra/kafka/src/port.ts), which other tests start meanwhile. */
const REFUSED_LOCAL_PORT = 3_000;
const REFUSED_LOCAL_PORTS = 5_000;

async function run(options: {
  count: number;
  refused: number;
  seed: number;
  concurrency: number;
  pauseMs: number;
  clients: number;
}): Promise<void> {
  const child = fork(import.meta.filename, ['--serve'], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const addresses = await new Promise<readonly AddressInfo[]>((resolve) =>
    child.once('message', (message) => resolve(message as readonly AddressInfo[])),
  );
  const random = createRandom(options.seed);
  const refusedEvery = options.refused > 0 ? Math.floor(options.count / options.refused) : Infinity;
  const clientAddress = (): string | undefined => {
    if (options.clients < 2) return undefined;
    const client = random.below(random.pick([10, options.clients, options.clients]));
    return `127.1.${client >> 8}.${client & 0xff}`;
  };
  let started = 0;
  let refused = 0;

  async function worker(): Promise<void> {
    while (started < options.count) {
      const index = started++;
      const to = random.pick(addresses);
      if ((index + 1) % refusedEvery === 0 && refused < options.refused) {
        refused += 1;
        await refusedOnce(to.address, REFUSED_LOCAL_PORT + (index % REFUSED_LOCAL_PORTS), CLOSED_PORT);
      } else {
        const request = Buffer.alloc(4 + random.below(random.pick([10, 1000, 100_000])), 'q');
        request.writeUInt32BE(random.below(random.pick([1, 1000, 100_000])), 0);
        await connectOnce(to, request, to.family === 'IPv4' ? clientAddress() : undefined);
      }
      if (options.pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, options.pauseMs));
    }
  }
  await Promise.all(Array.from({ length: options.concurrency }, worker));
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.disconnect();
  await exited;
  say({ done: true });
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      serve: { type: 'boolean', default: false },
      count: { type: 'string', default: '1000' },
      refused: { type: 'string', default: '50' },
      seed: { type: 'string', default: '1' },
      concurrency: { type: 'string', default: '16' },
      'pause-ms': { type: 'string', default: '0' },
      clients: { type: 'string', default: '1' },
    },
  });
  if (values.serve) serve();
  else {
    await run({
      count: Number(values.count),
      refused: Number(values.refused),
      seed: Number(values.seed),
      concurrency: Number(values.concurrency),
      pauseMs: Number(values['pause-ms']),
      clients: Number(values.clients),
    });
  }
}
