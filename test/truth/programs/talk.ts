/**
 * A program of Node's own: clients and servers over node:net, commanded as programs/actor.c is.
 *
 *   node talk.ts IN OUT
 */
import { createReadStream, readFileSync, readlinkSync, statSync, writeSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

const [input = 0, output = 1] = process.argv.slice(2).map(Number);
/** What each ended connection moved, as node:net counts it. */
const ended: object[] = [];

const nowUs = (): number => Date.now() * 1_000;
const say = (what: object): void => void writeSync(output, `${JSON.stringify(what)}\n`);

function whoami(): object {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  return {
    pid: process.pid,
    parent: process.ppid,
    uid: process.geteuid?.() ?? 0,
    start_ticks: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]),
    comm: readFileSync('/proc/self/comm', 'utf8').trim(),
    cgroups: readFileSync('/proc/self/cgroup', 'utf8'),
    executable: readlinkSync('/proc/self/exe'),
    network_namespace: statSync('/proc/self/ns/net').ino,
  };
}

/** The log is taken when the socket is closed on both sides. */
function note(socket: Socket): void {
  const ends = {
    local_address: socket.localAddress,
    local_port: socket.localPort,
    peer_address: socket.remoteAddress,
    peer_port: socket.remotePort,
    before: nowUs(),
  };
  socket.on('close', () =>
    ended.push({ ...ends, sent: socket.bytesWritten, received: socket.bytesRead, after: nowUs() + 999 }),
  );
}

/** Answers whatever comes with twice as much. */
async function serve(): Promise<object> {
  const server = createServer((socket) => {
    note(socket);
    socket.on('data', (bytes) => socket.write(Buffer.alloc(bytes.length * 2)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { local_port: (server.address() as AddressInfo).port };
}

/** Sends `count` bytes, reads twice as many and ends. */
async function request(port: number, count: number): Promise<object> {
  const socket = connect(port, '127.0.0.1');
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  note(socket);
  socket.write(Buffer.alloc(count));
  let left = count * 2;
  socket.on('data', (bytes) => {
    left -= bytes.length;
    if (left === 0) socket.end();
  });
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return {};
}

const commands: Record<string, (...words: string[]) => object | Promise<object>> = {
  whoami,
  serve,
  request: (port = '', count = '') => request(Number(port), Number(count)),
  ended: () => ({ sockets: ended.splice(0) }),
};

say({});
const lines = createInterface({ input: createReadStream('', { fd: input }) });
lines.on('line', async (line) => {
  const [name = '', ...words] = line.split(' ');
  const before = nowUs();
  const answer = await commands[name]?.(...words);
  say({ ...(answer ?? { unknown: name }), errno: 0, before, after: nowUs() + 999 });
});
lines.on('close', () => process.exit());
