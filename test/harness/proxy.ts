/** A proxy before ClickHouse that does to requests what its script says. */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { after } from 'node:test';

/** What a request meets on its way; ClickHouse gets it all the same, and what fails there fails as the real one does. */
export interface Fault {
  /** It waits until `release`. */
  readonly isHeld?: boolean;
  /** What is held arrives even when the one who sent it has given up, as with a server that hangs. */
  readonly isSurvivor?: boolean;
  /** Settings added to it. */
  readonly settings?: Readonly<Record<string, string>>;
  /** What becomes of the answer: it is swallowed, or the connection is cut when it comes. */
  readonly answer?: 'swallowed' | 'cut';
}

/** Of the statement in the address and the beginning of the body. Nothing: the request passes. */
export type Script = (statement: string) => Fault | undefined;

export interface Proxy {
  readonly url: string;
  /** Statements so far. */
  readonly asked: readonly string[];
  /** Requests that met a fault. */
  readonly faults: number;
  /** Resolves with the first request that is held. */
  readonly held: Promise<void>;
  /** From now on; nothing: all pass. */
  play(script?: Script): void;
  /** Lets what is held pass, and all that would be. */
  release(): void;
  stop(): void;
}

export const holding =
  (text: string): Script =>
  (statement) =>
    statement.includes(text) ? { isHeld: true } : undefined;

/** INSERTs of rows meet the fault, the first `timesMax` of them. */
export function inserts(fault: Fault, timesMax = Number.POSITIVE_INFINITY): Script {
  let left = timesMax;
  return (statement) => {
    if (left === 0 || !/INSERT INTO \w+\.tcp_(events|batches) /.test(statement)) return undefined;
    left -= 1;
    return fault;
  };
}

const STATEMENT_BYTES = 200;

/** Stopped at the end of the test, or of the file. */
export async function startProxy(clickhouse: string, script?: Script): Promise<Proxy> {
  const held = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const asked: string[] = [];
  let current = script;
  let faults = 0;

  async function pass(from: IncomingMessage, to: ServerResponse): Promise<void> {
    const body = await buffer(from);
    const url = new URL(from.url ?? '/', clickhouse);
    const address = decodeURIComponent(url.search).replaceAll('+', ' ');
    const statement = `${address} ${body.toString('latin1', 0, STATEMENT_BYTES)}`;
    asked.push(statement);
    const fault = current?.(statement);
    if (fault) faults += 1;
    if (fault?.isHeld) {
      held.resolve();
      await released.promise;
      if (to.destroyed && !fault.isSurvivor) return;
    }
    for (const [name, value] of Object.entries(fault?.settings ?? {})) url.searchParams.set(name, value);
    const { method, headers } = from;
    const onward = request(url, { agent: false, method, headers }, (answer) => {
      if (fault?.answer) {
        answer.resume();
        if (fault.answer === 'cut') to.destroy();
        return;
      }
      to.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(to);
    });
    onward.on('error', (error) => to.destroy(error));
    onward.end(body);
  }

  const proxy = createServer((from, to) => void pass(from, to).catch((error: Error) => to.destroy(error)));
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const stop = (): void => {
    proxy.closeAllConnections();
    proxy.close();
  };
  after(stop);
  const { port } = proxy.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    get faults() {
      return faults;
    },
    held: held.promise,
    play(next) {
      current = next;
    },
    release: released.resolve,
    stop,
  };
}
