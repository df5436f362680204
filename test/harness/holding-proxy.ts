/** A proxy before ClickHouse that holds one request for as long as a test wants. */
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { after } from 'node:test';

export interface HoldingProxy {
  readonly url: string;
  /** A request with the text came, and is held. */
  readonly held: Promise<void>;
  /** Statements and addresses so far. */
  readonly asked: readonly string[];
  /** From now on with another text. */
  hold(text: string): void;
  /** Lets it, and all others, pass. */
  release(): void;
  stop(): void;
}

/** Hands requests on to ClickHouse, and holds the first whose address holds `text`. */
export async function startHoldingProxy(clickhouse: string, text: string): Promise<HoldingProxy> {
  const held = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const target = new URL(clickhouse);
  const asked: string[] = [];
  let wanted = text;
  const proxy = createServer(async (from, to) => {
    const body = await buffer(from);
    const address = decodeURIComponent(from.url ?? '').replaceAll('+', ' ');
    asked.push(`${address} ${body.toString('latin1', 0, 200)}`);
    if (address.includes(wanted)) {
      held.resolve();
      await released.promise;
      if (to.destroyed) return;
    }
    const { method, url, headers } = from;
    const { hostname, port } = target;
    const onward = request({ agent: false, host: hostname, port, method, path: url, headers }, (answer) => {
      to.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(to);
    });
    onward.on('error', (error) => to.destroy(error));
    onward.end(body);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const stop = (): void => {
    proxy.closeAllConnections();
    proxy.close();
  };
  after(stop);
  const { port } = proxy.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    held: held.promise,
    asked,
    hold(other) {
      wanted = other;
    },
    release: released.resolve,
    stop,
  };
}
