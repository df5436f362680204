/** The consumer's configuration: one YAML file, `TCPTRAIL_*` variables over it, parsed once. */
import { readFileSync } from 'node:fs';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { parse } from 'yaml';
import { z } from 'zod';

export const CONFIG_FILE = '/etc/tcptrail/consumer.yaml';

const port = z.number().int().min(0).max(65_535);
const count = z.number().int().min(1);

const SCHEMA = z.strictObject({
  clickhouse: z
    .strictObject({
      url: z.url({ protocol: /^https?$/ }).default('http://127.0.0.1:8123'),
      username: z.string().default('default'),
      password: z.string().default(''),
      /** Its first line is the password; wins over `password`. */
      passwordFile: z.string().default(''),
      database: z
        .string()
        .regex(/^[A-Za-z_][A-Za-z0-9_]*$/)
        .default('tcptrail'),
      requestWaitMsMax: count.default(60_000),
    })
    .prefault({}),
  transport: z.literal('spool').default('spool'),
  spool: z
    .strictObject({
      path: z.string().default('/var/spool/tcptrail'),
      reader: z
        .string()
        .regex(/^[a-z0-9_-]+$/)
        .default('clickhouse'),
      pollMs: count.default(200),
    })
    .prefault({}),
  batch: z
    .strictObject({
      rowsMax: count.max(1_000_000).default(50_000),
      bytesMax: count.default(32 * 1024 * 1024),
      flushMs: z.number().int().min(0).default(500),
    })
    .prefault({}),
  migrate: z.boolean().default(true),
  metrics: z.strictObject({ host: z.string().default('127.0.0.1'), port: port.default(9481) }).prefault({}),
  stopWaitMsMax: count.default(15_000),
});

export type ConsumerConfig = z.infer<typeof SCHEMA>;

/**
 * Reads `file` (absent: defaults, unless `required`) and lays the environment over it:
 * TCPTRAIL_CLICKHOUSE_URL is clickhouse.url, TCPTRAIL_SPOOL_POLL_MS is spool.pollMs.
 * Throws CONSUMER_CONFIG (exit 2) naming the key.
 */
export function loadConfig(options: {
  readonly file: string;
  readonly required: boolean;
  readonly env: NodeJS.ProcessEnv;
}): ConsumerConfig {
  const tree = readTree(options.file, options.required);
  for (const path of leaves(SCHEMA)) {
    const value = options.env[`TCPTRAIL_${path.map(snake).join('_')}`];
    if (value !== undefined) put(tree, path, value);
  }
  const parsed = SCHEMA.safeParse(tree);
  if (parsed.success) return withPassword(parsed.data);
  const issue = parsed.error.issues[0];
  const at = issue?.path.join('.') ?? '';
  const what =
    issue?.code === 'unrecognized_keys'
      ? `unknown key ${[...issue.path, issue.keys[0]].join('.')}`
      : `${at || 'the file'}: ${issue?.message ?? 'not valid'}`;
  throw wrong(`configuration ${options.file}: ${what}; correct it and start again`);
}

function readTree(file: string, required: boolean): Record<string, unknown> {
  try {
    const tree: unknown = parse(readFileSync(file, 'utf8')) ?? {};
    if (typeof tree === 'object' && !Array.isArray(tree)) return tree as Record<string, unknown>;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' && !required) return {};
    const why = code ?? (error as Error).message.split('\n')[0];
    throw wrong(`configuration ${file} cannot be read (${why}); give a YAML file with --config`, error);
  }
  throw wrong(`configuration ${file} is no YAML mapping; write keys such as "clickhouse:"`);
}

function withPassword(config: ConsumerConfig): ConsumerConfig {
  const file = config.clickhouse.passwordFile;
  if (file === '') return config;
  try {
    const password = readFileSync(file, 'utf8').split('\n')[0] ?? '';
    return { ...config, clickhouse: { ...config.clickhouse, password } };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw wrong(`clickhouse.passwordFile ${file} cannot be read (${code}); make it readable`, error);
  }
}

type Schema = { readonly shape?: Record<string, Schema>; readonly def?: { readonly innerType?: Schema } };

/** Paths of all plain values, e.g. ['clickhouse', 'url']. */
function leaves(schema: unknown, path: readonly string[] = []): string[][] {
  const node = schema as Schema;
  if (node.shape) return Object.entries(node.shape).flatMap(([key, inner]) => leaves(inner, [...path, key]));
  const inner = node.def?.innerType;
  return inner ? leaves(inner, path) : [[...path]];
}

function snake(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

/** A variable is read as YAML reads a scalar, except where that would turn a text into a number. */
function put(tree: Record<string, unknown>, path: readonly string[], text: string): void {
  let node = tree;
  for (const key of path.slice(0, -1)) {
    const next = node[key];
    node = node[key] = typeof next === 'object' && next !== null ? { ...next } : {};
  }
  const key = path.at(-1) ?? '';
  const isText = [
    'url',
    'username',
    'password',
    'passwordFile',
    'database',
    'path',
    'reader',
    'host',
  ].includes(key);
  node[key] = isText ? text : parse(text);
}

function wrong(message: string, cause?: unknown): AppError {
  return new AppError('CONSUMER_CONFIG', message, { cause, exitCode: 2 });
}
