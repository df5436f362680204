import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { usageError } from './errors.ts';

export interface Passwords {
  /** Super user; the broker speaks to itself as `admin` too. */
  readonly admin: string;
  /** May do nothing until it is granted. */
  readonly tcptrail: string;
}

export interface Listener {
  /** In capitals; settings of its own begin with `listener.name.<in small letters>.` */
  readonly name: string;
  /** In Kafka's words: SSL, SASL_SSL … */
  readonly protocol: string;
  /** 0 takes a free one. */
  readonly port: number;
}

export interface Config {
  /** Absolute folder that this process owns. */
  readonly dataDir: string;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Name that clients are told; undefined: `host`. */
  readonly advertise?: string;
  /** Beside the first one, all on `host`. */
  readonly listeners: readonly Listener[];
  /** Data folder of a running local Kafka whose second broker this one is. */
  readonly join?: string;
  /** Users of the listener; undefined lets anybody in. */
  readonly passwords?: Passwords;
  /** Properties of the server, over those of server-properties.ts. */
  readonly set: Readonly<Record<string, string>>;
}

/** What a test need not keep secret; taken only on loopback. */
export const TEST_PASSWORDS: Passwords = { admin: 'admin-test', tcptrail: 'tcptrail-test' };

const DEFAULTS = { host: '127.0.0.1', port: 9092 } as const;

/** What the start itself decides. */
const RESERVED: readonly string[] = [
  'controller.quorum.voters',
  'listeners',
  'log.dirs',
  'node.id',
  'process.roles',
];

/** Throws a usage error. */
export function parseCommandLine(args: readonly string[], env: NodeJS.ProcessEnv): Config {
  const values = readOptions(args);
  if (!values.data) throw usageError('no data folder: give --data <folder>');
  // Kafka takes it for a list of folders.
  if (/[,\n]/.test(resolve(values.data)))
    throw usageError(`data folder ${JSON.stringify(values.data)} has a comma or a line end: choose another`);
  const port = values.port === undefined ? DEFAULTS.port : Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535 || values.port === '')
    throw usageError(`--port is '${values.port}': give a number from 0 to 65535`);
  const host = values.host ?? DEFAULTS.host;
  const loopback = isLoopback(host);
  if (!loopback && !values.sasl)
    throw usageError(`refusing to listen on '${host}' for anybody: give --sasl, or keep to 127.0.0.1`);
  if (!loopback && values.listener)
    throw usageError(`--listener goes with loopback alone: leave it out, or keep to 127.0.0.1`);
  const passwords = values.sasl && {
    admin: password('TCPTRAIL_KAFKA_ADMIN_PASSWORD', env, loopback ? TEST_PASSWORDS.admin : undefined),
    tcptrail: password('TCPTRAIL_KAFKA_PASSWORD', env, loopback ? TEST_PASSWORDS.tcptrail : undefined),
  };
  return {
    dataDir: resolve(values.data),
    host,
    port,
    ...(values.advertise === undefined ? {} : { advertise: values.advertise }),
    ...(values.join === undefined ? {} : { join: resolve(values.join) }),
    listeners: (values.listener ?? []).map(listener),
    ...(passwords ? { passwords } : {}),
    set: Object.fromEntries((values.set ?? []).map(property)),
  };
}

function readOptions(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const options = {
    data: text,
    host: text,
    port: text,
    advertise: text,
    join: text,
    listener: { type: 'string', multiple: true },
    sasl: { type: 'boolean' },
    set: { type: 'string', multiple: true },
  } as const;
  try {
    return parseArgs({ args: [...args], options, strict: true }).values;
  } catch (error) {
    const [sentence] = String(error instanceof Error ? error.message : error).split(/\. |\n/);
    throw usageError(
      `${sentence}: give --data, --host, --port, --sasl, --listener, --advertise, --join and --set key=value`,
    );
  }
}

function listener(given: string): Listener {
  const found = /^([A-Z]+)=(PLAINTEXT|SSL|SASL_PLAINTEXT|SASL_SSL)(?::(\d{1,5}))?$/.exec(given);
  if (!found)
    throw usageError(
      `--listener is '${given}': give NAME=PROTOCOL[:port], such as MTLS=SSL or LOGIN=SASL_SSL:9093`,
    );
  const [, name = '', protocol = '', port = '0'] = found;
  return { name, protocol, port: Number(port) };
}

function property(given: string): [string, string] {
  const [, key = '', value = ''] = /^([a-z][\w.-]*)=(.*)$/is.exec(given) ?? [];
  if (key === '') throw usageError(`--set is '${given}': give key=value, such as num.partitions=4`);
  if (RESERVED.includes(key))
    throw usageError(
      `--set ${key} is decided by the start itself: leave it out, give --data, --host, --port`,
    );
  return [key, value];
}

function password(name: string, env: NodeJS.ProcessEnv, fallback: string | undefined): string {
  const given = env[name] || fallback;
  if (given === undefined) throw usageError(`${name} is not set: beyond loopback --sasl needs it`);
  // It stands in a JAAS line and in an option of StorageTool, where other signs would have a meaning.
  if (!/^[\w.~+/-]+$/.test(given))
    throw usageError(`${name} has a sign that Kafka's settings may not hold: use letters, digits and ._~+/-`);
  return given;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
