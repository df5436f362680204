/**
 * What web servers see, from processes of its own; on stdout {"pids":[…],"sharedPorts":[…]}, then {"connections":n}.
 *
 *   node web.ts --count 2400 [--seed 1] [--clients 40]
 *
 * Three services, each on 127.0.0.1 and ::1, the last of two processes that accept on one port. Most connections are
 * one request; others are kept alive for a few, idle beyond a second, are reset by client or server, are refused, or
 * last from the beginning to the end. Some still live when this has said what it did: they end with its stdin.
 */
import cluster from 'node:cluster';
import { once } from 'node:events';
import { Agent, createServer, get } from 'node:http';
import { type AddressInfo, createConnection, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createRandom } from '../random.ts';

const HOSTS = ['127.0.0.1', '::1'];
const CLOSED_PORT = 9;
const CONCURRENCY = 12;
const LONG = 8;
const LIVE = 4;
const IDLE_MS = 1_500;
const say = (line: unknown): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

interface Service {
  readonly host: string;
  readonly port: number;
}

/** A worker: `/bytes/n` gives n bytes, `/reset` one and a reset. */
function serve({ exclusive }: { exclusive: boolean }): void {
  const ready = HOSTS.map(async (host) => {
    const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
      request.socket.on('error', () => {});
      const [, what, count] = (request.url ?? '').split('/');
      response.writeHead(200);
      if (what !== 'reset') response.end(Buffer.alloc(Number(count), 'r'));
      else response.write('r', () => request.socket.resetAndDestroy());
    });
    server.listen({ host, port: 0, exclusive, backlog: 4_096 });
    await once(server, 'listening');
    return { host, port: (server.address() as AddressInfo).port };
  });
  void Promise.all(ready).then((services) => process.send?.(services));
  process.on('disconnect', () => process.exit());
}

/** Workers that do not ask for a port of their own share one. */
async function startServices(): Promise<{
  services: readonly Service[];
  pids: number[];
  sharedPorts: number[];
}> {
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({ exec: import.meta.filename });
  const services: Service[] = [];
  const pids = [process.pid];
  const sharedPorts: number[] = [];
  for (const sharing of ['', '', 'first', 'second']) {
    const worker = cluster.fork({ WEB_SHARED: sharing });
    const [told] = (await once(worker, 'message')) as [readonly Service[]];
    pids.push(worker.process.pid ?? 0);
    if (sharing !== 'second') services.push(...told);
    if (sharing === 'second') sharedPorts.push(...told.map(({ port }) => port));
  }
  return { services, pids, sharedPorts };
}

/** Sockets of clients that are not closed. */
const open = new Set<Socket>();
function note(socket: Socket): void {
  if (open.has(socket)) return;
  open.add(socket);
  socket.on('error', () => {});
  socket.once('close', () => open.delete(socket));
}

async function request(agent: Agent, to: Service, path: string, localAddress?: string): Promise<void> {
  const asked = get({ agent, host: to.host, port: to.port, path, ...(localAddress ? { localAddress } : {}) });
  asked.on('error', () => {});
  asked.on('socket', note);
  const [response] = await once(asked, 'response');
  response.on('error', () => {});
  response.resume();
  await new Promise((resolve) => response.once('close', resolve));
}

const closed = (socket: Socket): Promise<unknown> => new Promise((resolve) => socket.once('close', resolve));

/** Closes what it keeps alive, and waits until the server has, too. */
async function end(agent: Agent): Promise<void> {
  const kept = Object.values(agent.freeSockets).flatMap((sockets) => sockets ?? []);
  await Promise.all(kept.map((socket) => closed(socket.end())));
}

async function run({
  count,
  seed,
  clients,
}: {
  count: number;
  seed: number;
  clients: number;
}): Promise<void> {
  const { services, ...told } = await startServices();
  say(told);
  const random = createRandom(seed);
  const addressFor = ({ host }: Service): string | undefined =>
    host === '::1' ? undefined : `127.2.0.${1 + random.below(random.pick([4, clients]))}`;
  const path = (): string => `/bytes/${random.below(random.pick([100, 10_000, 200_000]))}`;
  let connections = 0;

  async function held(): Promise<{ agent: Agent; service: Service; socket: Socket }> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const service = random.pick(services);
    connections += 1;
    const socket = createConnection({ host: service.host, port: service.port });
    await once(socket, 'connect');
    agent.createConnection = () => socket;
    await request(agent, service, path());
    return { agent, service, socket };
  }

  const kinds: Record<string, () => Promise<unknown>> = {
    async single() {
      const agent = new Agent({ keepAlive: false });
      const service = random.pick(services);
      await request(agent, service, path(), addressFor(service));
    },
    async keptAlive() {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const service = random.pick(services);
      const from = addressFor(service);
      for (let left = 2 + random.below(5); left > 0; left--) await request(agent, service, path(), from);
      await end(agent);
    },
    async idle() {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const service = random.pick(services);
      const from = addressFor(service);
      await request(agent, service, path(), from);
      await sleep(IDLE_MS);
      await request(agent, service, path(), from);
      await end(agent);
    },
    async resetByServer() {
      const agent = new Agent({ keepAlive: false });
      await request(agent, random.pick(services), '/reset').catch(() => {});
    },
    async resetByClient() {
      const { host, port } = random.pick(services);
      const socket = createConnection({ host, port });
      socket.on('error', () => {});
      await once(socket, 'connect');
      socket.write('GET /bytes/5 HTTP/1.1\r\nhost: x\r\n\r\n');
      await once(socket, 'data');
      socket.resetAndDestroy();
      await closed(socket);
    },
    async refused() {
      const socket = createConnection({ host: random.pick(HOSTS), port: CLOSED_PORT });
      socket.on('error', () => {});
      await closed(socket);
    },
  };
  // Of 100.
  const mix = Object.entries({
    ...{ single: 84, keptAlive: 8, idle: 3 },
    ...{ resetByServer: 1, resetByClient: 2, refused: 2 },
  });
  const order = mix.flatMap(([kind, times]) => Array.from({ length: times }, () => kind));
  const long = await Promise.all(Array.from({ length: LONG + LIVE }, held));
  let started = 0;
  async function worker(): Promise<void> {
    while (started < count) {
      started += 1;
      connections += 1;
      await kinds[random.pick(order)]?.();
    }
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  for (const { agent, service } of long.slice(LIVE)) await request(agent, service, path());
  for (const { socket } of long.slice(0, LIVE)) open.delete(socket);
  // A client that has seen both ends closed is told of after the server.
  const closing = [...open];
  await Promise.all(closing.map((socket) => closed(socket.end())));
  say({ connections });
  process.stdin.resume();
  await once(process.stdin, 'end');
  for (const worker of Object.values(cluster.workers ?? {})) worker?.disconnect();
  process.exit();
}

if (cluster.isWorker) serve({ exclusive: process.env['WEB_SHARED'] === '' });
else {
  const { values } = parseArgs({
    options: {
      count: { type: 'string', default: '2400' },
      seed: { type: 'string', default: '1' },
      clients: { type: 'string', default: '40' },
    },
  });
  await run({ count: Number(values.count), seed: Number(values.seed), clients: Number(values.clients) });
}
