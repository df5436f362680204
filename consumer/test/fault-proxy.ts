/** A proxy before ClickHouse that makes INSERTs fail as the real server fails them. */
import assert from 'node:assert/strict';
import { createServer, request as send } from 'node:http';

export interface Fault {
  /** Settings added to each INSERT; the server answers with its own error. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The INSERT is passed on, its answer is not. */
  readonly isSilent?: boolean;
}

export interface FaultProxy {
  readonly url: string;
  /** INSERTs that met the fault. */
  readonly faults: number;
  set(fault: Fault | undefined): void;
  stop(): void;
}

export async function startFaultProxy(target: string): Promise<FaultProxy> {
  let fault: Fault | undefined;
  let faults = 0;
  const proxy = createServer((request, response) => {
    const url = new URL(request.url ?? '/', target);
    const isInsert = /^INSERT INTO \w+\.tcp_(events|batches) /.test(url.searchParams.get('query') ?? '');
    const met = isInsert ? fault : undefined;
    if (met) faults += 1;
    for (const [name, value] of Object.entries(met?.settings ?? {})) url.searchParams.set(name, value);
    const { method, headers } = request;
    const upstream = send(url, { method, headers }, (answer) => {
      if (met?.isSilent) return void answer.resume();
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    upstream.on('error', () => response.destroy());
    request.pipe(upstream);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const address = proxy.address();
  assert.ok(typeof address === 'object' && address);
  return {
    url: `http://127.0.0.1:${address.port}`,
    get faults() {
      return faults;
    },
    set: (next) => (fault = next),
    stop() {
      proxy.closeAllConnections();
      proxy.close();
    },
  };
}
