import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { startError } from './errors.ts';

const PORT_MIN = 10_000;
const TRIES_MAX = 1_000;

/** Throws when nobody can listen there. */
export async function assertFree(host: string, port: number): Promise<void> {
  const error = await listenError(host, port);
  if (!error) return;
  throw startError(
    error === 'EADDRINUSE'
      ? `port ${port} on ${host} is taken: give another with --port, or 0 for a free one`
      : `cannot listen on ${host}, port ${port} (${error}): give another --host or --port`,
  );
}

/**
 * A port below those that the kernel gives to connections.
 *
 * One of theirs could be taken while Kafka is down, even by a client that looks for Kafka there: a connection
 * from a port to itself succeeds.
 */
export async function freePort(host: string, not?: number): Promise<number> {
  const below = Math.max(firstOfConnections(), PORT_MIN + TRIES_MAX);
  let error: string | undefined;
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const port = PORT_MIN + Math.floor(Math.random() * (below - PORT_MIN));
    if (port === not) continue;
    error = await listenError(host, port);
    if (!error) return port;
    if (error !== 'EADDRINUSE') break;
  }
  throw startError(`cannot listen on any port of ${host} (${error}): give another --host, or a --port`);
}

function firstOfConnections(): number {
  try {
    return Number.parseInt(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'), 10);
  } catch {
    return 32_768;
  }
}

function listenError(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port }, () => server.close(() => resolve(undefined)));
  });
}
