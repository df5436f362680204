import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

export interface Config {
  /** Absolute folder that this process owns: `db/` is the engine's, `tmp/` holds bodies and results in flight. */
  readonly dataDir: string;
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Password of the user `default`; without one anybody on the host is `default`. */
  readonly password?: string;
  /** Password of `reader`; without one `reader` exists only while `default` has none either. */
  readonly readerPassword?: string;
  /** Queries that run at once; more wait. */
  readonly queriesMax: number;
  /** Queries that wait; more are refused with TOO_MANY_SIMULTANEOUS_QUERIES. */
  readonly waitersMax: number;
  /** Memory of the engine as a whole, and of one query. */
  readonly memoryBytesMax: number;
  readonly queryMemoryBytesMax: number;
  /** How long `stop` lets running queries go on before it kills them. */
  readonly stopWaitMsMax: number;
}

/** A mistake in how the program was started; the message is one sentence with the remedy. */
export class UsageError extends Error {}

const DEFAULTS = {
  host: '127.0.0.1',
  port: 8123,
  queriesMax: 8,
  waitersMax: 100,
  memoryBytesMax: 2 * 1024 ** 3,
  queryMemoryBytesMax: 1024 ** 3,
  stopWaitMsMax: 5_000,
} as const;

/** Fills what `given` leaves out. Throws UsageError for a path the engine cannot use and for a host beyond loopback without a password. */
export function createConfig(given: { readonly dataDir: string } & Partial<Config>): Config {
  const config = { ...DEFAULTS, ...given, dataDir: resolve(given.dataDir) };
  if (/[*?{}]/.test(config.dataDir))
    throw new UsageError(
      `data folder ${config.dataDir} has one of *?{} in its path, which ClickHouse expands: choose another`,
    );
  if (!isLoopback(config.host) && config.password === undefined) {
    throw new UsageError(
      `refusing to listen on ${config.host} without a password: give --password-file <file> or TCPTRAIL_CLICKHOUSE_PASSWORD, or keep to 127.0.0.1`,
    );
  }
  return config;
}

/** Throws UsageError. */
export function parseCommandLine(args: readonly string[], env: NodeJS.ProcessEnv): Config {
  const values = readOptions(args);
  if (values.data === undefined) throw new UsageError('no data folder: give --data <folder>');
  const port = values.port === undefined ? DEFAULTS.port : Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535 || values.port === '')
    throw new UsageError(`--port is '${values.port}': give a number from 0 to 65535`);
  const password = secret('--password-file', values['password-file'], env.TCPTRAIL_CLICKHOUSE_PASSWORD);
  const readerPassword = secret(
    '--reader-password-file',
    values['reader-password-file'],
    env.TCPTRAIL_CLICKHOUSE_READER_PASSWORD,
  );
  return createConfig({
    dataDir: values.data,
    port,
    ...(values.host === undefined ? {} : { host: values.host }),
    ...(password === undefined ? {} : { password }),
    ...(readerPassword === undefined ? {} : { readerPassword }),
  });
}

function readOptions(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const options = { data: text, host: text, port: text, 'password-file': text, 'reader-password-file': text };
  try {
    return parseArgs({ args: [...args], options, strict: true }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function secret(option: string, file: string | undefined, fromEnv: string | undefined): string | undefined {
  if (file === undefined) return fromEnv === '' ? undefined : fromEnv;
  let text: string;
  try {
    text = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new UsageError(
      `${option} ${file} cannot be read: ${error instanceof Error ? error.message : error}`,
    );
  }
  if (text === '') throw new UsageError(`${option} ${file} is empty: write the password into it`);
  return text;
}

export function isLoopback(host: string): boolean {
  return (
    host === 'localhost' ||
    host === '::1' ||
    host === '[::1]' ||
    (isIP(host) === 4 && host.startsWith('127.'))
  );
}
