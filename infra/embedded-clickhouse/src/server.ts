import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type Config, isLoopback } from './config.ts';
import { claimDataFolder, type DataFolder } from './data-folder.ts';
import { createEngine, type Engine } from './engine.ts';
import { ClickHouseException, fromEngine } from './exception.ts';
import { readHttpQuery } from './http-request.ts';
import { sendAnswer, sendException } from './http-response.ts';
import { createProcessList, type ProcessList } from './process-list.ts';
import { type Answer, runQuery } from './query.ts';
import { openRequestBody } from './request-body.ts';
import { authenticate } from './users.ts';

// Imported, node:http loads fetch and WebSocket too: a tenth of a start.
const { createServer: createHttpServer } = process.getBuiltinModule('node:http');

/** ClickHouse's http_max_uri_size, in which the parameters of a question come. */
const URI_BYTES_MAX = 1024 * 1024;

/** The port is taken; the message names it and the remedy. */
export class PortTakenError extends Error {}

export interface Address {
  readonly host: string;
  readonly port: number;
  /** ClickHouse's, as in `SELECT version()`. */
  readonly version: string;
}

export interface Server {
  /** Claims the folder, loads its tables, listens. Throws FolderInUseError, PortTakenError. */
  start(): Promise<Address>;
  /** Stops accepting, lets running queries end for `stopWaitMsMax`, kills what is left, gives the folder back. */
  stop(): Promise<void>;
}

/** ClickHouse's HTTP interface over the engine in this process. One process can serve one folder only. */
export function createServer(config: Config, deps: { readonly log: Logger }): Server {
  const { log } = deps;
  let folder: DataFolder | undefined;
  let engine: Engine | undefined;
  let processList: ProcessList | undefined;
  const limits = { requestTimeout: 0, maxHeaderSize: URI_BYTES_MAX };
  const http = createHttpServer(limits, (request, response) => void handle(request, response));

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '/').split('?', 1)[0];
    if (path === '/ping' || path === '/replicas_status') return void response.end('Ok.\n');
    if (path !== '/' && path !== '/query') {
      response.statusCode = 404;
      return void response.end(`There is no handle ${path}\n`);
    }
    if (request.method === 'GET' && !/[?&]query=/.test(request.url ?? '') && path === '/')
      return void response.end('Ok.\n');
    let queryId: string | undefined;
    let answer: Answer | undefined;
    try {
      const query = readHttpQuery(request);
      queryId = query.queryId;
      if (config.password === undefined) assertLocal(request);
      const user = authenticate(query, config);
      if (engine === undefined || folder === undefined || processList === undefined)
        throw new ClickHouseException('ABORTED', 'Server is shutting down');
      answer = await runQuery(query, user, openRequestBody(request), {
        engine,
        processList,
        temporaryFile: folder.temporaryFile,
        onRunning(running, statement) {
          queryId = running.queryId;
          // Nobody is left to read the result; an INSERT goes on, as its client could not tell either way.
          const abandon = (): void => {
            if (!response.writableFinished && statement.kind === 'read') void running.kill();
          };
          if (response.destroyed) abandon();
          else response.once('close', abandon);
        },
      });
      const acceptEncoding = query.compressResponse ? request.headers['accept-encoding'] : undefined;
      await sendAnswer(response, answer, { acceptEncoding });
    } catch (error) {
      if (response.headersSent || response.destroyed) return void response.destroy();
      const exception = fromEngine(error);
      if (exception.code === 1001) log.error({ err: error }, 'query failed outside the engine');
      sendException(request, response, exception, { version: engine?.version() ?? '', queryId });
    } finally {
      await answer?.dispose();
    }
  }

  async function listen(): Promise<AddressInfo> {
    await new Promise<void>((listening, failed) => {
      http.once('error', (error: NodeJS.ErrnoException) => {
        const taken = error.code === 'EADDRINUSE';
        const text = `port ${config.port} on ${config.host} is taken: give another with --port, or --port 0 for a free one`;
        failed(taken ? new PortTakenError(text) : error);
      });
      http.listen(config.port, config.host, listening);
    });
    return http.address() as AddressInfo;
  }

  /** An INSERT may outlive its client, so closed sockets do not mean that nothing runs. */
  async function idle(): Promise<void> {
    while ((processList?.all() ?? []).length > 0) await delay(20);
  }

  async function close(): Promise<void> {
    engine?.stop();
    engine = undefined;
    await folder?.release();
    folder = undefined;
  }

  return {
    async start() {
      folder = await claimDataFolder(config.dataDir);
      try {
        engine = createEngine(config, { databaseDir: folder.databaseDir });
        await engine.start();
        processList = createProcessList({ control: engine.control });
        const { address, port } = await listen();
        const version = engine.version();
        log.info({ dataDir: config.dataDir, host: address, port, version }, 'ready');
        return { host: address, port, version };
      } catch (error) {
        await close();
        throw error;
      }
    },

    async stop() {
      const closed = new Promise((done) => http.close(done));
      http.closeIdleConnections();
      await Promise.race([
        Promise.all([closed, idle()]),
        delay(config.stopWaitMsMax, undefined, { ref: false }),
      ]);
      const left = processList?.all() ?? [];
      if (left.length > 0)
        log.warn({ queries: left.length, waitedMs: config.stopWaitMsMax }, 'killing queries at stop');
      await Promise.race([
        Promise.all(left.map((query) => query.kill())),
        delay(2_000, undefined, { ref: false }),
      ]);
      http.closeAllConnections();
      await closed;
      await close();
      log.info('stopped');
    },
  };
}

/**
 * Without a password a page in a browser of this machine must not get in, by its own name (Origin) or by a name
 * that resolves to loopback (Host). Throws ACCESS_DENIED.
 */
function assertLocal({ headers }: IncomingMessage): void {
  const origin = typeof headers.origin === 'string' ? headers.origin : undefined;
  for (const place of [`http://${headers.host ?? 'localhost'}`, ...(origin === undefined ? [] : [origin])]) {
    if (URL.canParse(place) && isLoopback(new URL(place).hostname)) continue;
    throw new ClickHouseException(
      'ACCESS_DENIED',
      `Not enough privileges. Requests for or from ${place} need a password: start the server with --password-file`,
    );
  }
}
