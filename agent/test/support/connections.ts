/** Real connections on loopback, made and ended by this process. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

export interface Echo {
  readonly port: number;
  stop(): Promise<void>;
}

/** Answers each connection with what it got, then closes it; ends with the test, also with one that fails. */
export async function echoServer(t: TestContext, host: '127.0.0.1' | '::1'): Promise<Echo> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (data) => socket.end(data));
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, host, 1024);
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    stop: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}

/** One connection to its end; the local port it had. */
export async function converse(host: string, port: number): Promise<number> {
  const socket = connect(port, host);
  await once(socket, 'connect');
  const local = socket.localPort ?? 0;
  socket.write('hello');
  socket.resume();
  await once(socket, 'close');
  return local;
}

/** Resolves when the peer refused. */
export async function refused(host: string, port: number): Promise<void> {
  await once(connect(port, host), 'error');
}
