/** A proxy before ClickHouse that cuts the connection when an INSERT is answered. */
import assert from 'node:assert/strict';
import { connect, createServer, type Socket } from 'node:net';

export interface CuttingProxy {
  readonly url: string;
  /** Answers cut so far. */
  readonly cuts: number;
  stop(): void;
}

/** Passes everything on; cuts the first `cutsMax` INSERTs into either table when the server answers them. */
export async function startCuttingProxy(url: string, cutsMax: number): Promise<CuttingProxy> {
  const target = new URL(url);
  let cuts = 0;
  const sockets = new Set<Socket>();
  const proxy = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    let isInsert = false;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => sockets.delete(socket));
    }
    client.on('data', (chunk) => {
      const head = chunk.toString('latin1');
      if (head.startsWith('POST')) isInsert = /INSERT[+%20]+INTO[^ ]+tcp_(events|batches)/.test(head);
      upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      if (isInsert && cuts < cutsMax) {
        cuts += 1;
        client.destroy();
        upstream.destroy();
      } else client.write(chunk);
    });
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const address = proxy.address();
  assert.ok(typeof address === 'object' && address);
  return {
    url: `http://127.0.0.1:${address.port}`,
    get cuts() {
      return cuts;
    },
    stop() {
      for (const socket of sockets) socket.destroy();
      proxy.close();
    },
  };
}
