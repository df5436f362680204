/**
 * /metrics, /healthz and /readyz.
 *
 * healthz answers 200 as long as it answers: to start the consumer again mends nothing that it tells of. Its text says
 * what is wrong. readyz says whether it stores now.
 */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { failure } from './errors.ts';
import { sumOf } from './lag.ts';
import type { Metrics } from './metrics.ts';

// Imported, node:http loads fetch and WebSocket too: a tenth of a start.
const { createServer } = process.getBuiltinModule('node:http');

export interface MetricsServer {
  /** Throws CONSUMER_PORT_TAKEN. Resolves with the port. */
  start(): Promise<number>;
  stop(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly type?: string;
  readonly text: string;
}

/** `trouble` says what is wrong now; undefined when all is well. */
export function createMetricsServer(
  config: { readonly host: string; readonly port: number },
  deps: { readonly metrics: Metrics; readonly trouble: () => string | undefined },
): MetricsServer {
  const { registry, clickhouseUp } = deps.metrics;
  let server: Server | undefined;

  async function trouble(): Promise<string | undefined> {
    const told = deps.trouble();
    if (told !== undefined || (await sumOf(clickhouseUp)) > 0) return told;
    return 'ClickHouse does not take what is inserted; see the log';
  }

  async function answer(path: string | undefined): Promise<Answer> {
    if (path === '/metrics') {
      return { status: 200, type: registry.contentType, text: await registry.metrics() };
    }
    if (path !== '/healthz' && path !== '/readyz')
      return { status: 404, text: 'try /metrics, /healthz or /readyz\n' };
    const wrong = await trouble();
    return { status: path === '/readyz' && wrong !== undefined ? 503 : 200, text: `${wrong ?? 'ok'}\n` };
  }

  return {
    async start() {
      const listening = createServer((request, response) => {
        void answer(request.url).then(({ status, type = 'text/plain', text }) => {
          response.writeHead(status, { 'content-type': type });
          response.end(text);
        });
      });
      await new Promise<void>((resolve, reject) => {
        listening.once('error', (cause) =>
          reject(
            failure(
              'CONSUMER_PORT_TAKEN',
              `metrics port ${config.host}:${config.port} cannot be used (${(cause as NodeJS.ErrnoException).code}); set metrics.port`,
              { cause },
            ),
          ),
        );
        listening.listen(config.port, config.host, resolve);
      });
      server = listening;
      return (listening.address() as AddressInfo).port;
    },
    async stop() {
      const open = server;
      open?.closeAllConnections();
      if (open) await new Promise((resolve) => open.close(resolve));
    },
  };
}
