/** /metrics and /healthz on loopback. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { failure } from './errors.ts';
import type { Metrics } from './metrics.ts';

export interface MetricsServer {
  /** Throws CONSUMER_PORT_TAKEN. Resolves with the port. */
  start(): Promise<number>;
  stop(): Promise<void>;
}

/** `trouble` says what is wrong now; undefined when all is well. */
export function createMetricsServer(
  config: { readonly host: string; readonly port: number },
  deps: { readonly metrics: Metrics; readonly trouble: () => string | undefined },
): MetricsServer {
  let server: Server | undefined;
  return {
    async start() {
      const listening = createServer((request, response) => {
        if (request.url === '/healthz') {
          const trouble = deps.trouble();
          response.writeHead(trouble === undefined ? 200 : 503, { 'content-type': 'text/plain' });
          response.end(`${trouble ?? 'ok'}\n`);
        } else if (request.url === '/metrics') {
          const { registry } = deps.metrics;
          void registry.metrics().then((text) => {
            response.writeHead(200, { 'content-type': registry.contentType });
            response.end(text);
          });
        } else {
          response.writeHead(404).end('try /metrics or /healthz\n');
        }
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
