/**
 * Configuration of the agent: defaults, then the YAML file, then the environment; parsed once, here.
 *
 * Environment rule: `TCPTRAIL_` and the key's path in capitals, words and levels parted by `_`:
 * `spool.path` is TCPTRAIL_SPOOL_PATH, `batch.rowsMax` is TCPTRAIL_BATCH_ROWS_MAX. Variables that name no key
 * are left to other parts.
 */
import { readFileSync } from 'node:fs';
import { parse as parseYaml, YAMLParseError } from 'yaml';
import { z } from 'zod';
import { agentError, reasonOf } from './errors.ts';

export const CONFIG_FILE_DEFAULT = '/etc/tcptrail/agent.yaml';

const KIB = 1024;
const MIB = 1024 * KIB;

const bytes = (min: number, max: number) => z.int().min(min).max(max);
const powerOfTwo = (min: number, max: number) =>
  bytes(min, max).refine((value) => (value & (value - 1)) === 0, 'must be a power of two');
const label = z.string().max(256).default('');

const schema = z.strictObject({
  /** Names the kernel state and the lock; a second agent on one host needs another. */
  instance: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'must be 1 to 32 of a-z, 0-9 and -')
    .default('default'),
  /** '' = the machine id. */
  hostId: z.string().max(128).default(''),
  /** '' = the name the kernel gives. */
  hostName: z.string().max(253).default(''),
  labels: z
    .strictObject({
      account: label,
      region: label,
      zone: label,
      team: label,
      service: label,
      environment: label,
    })
    .prefault({}),
  ring: z
    .strictObject({
      lifecycleBytes: powerOfTwo(64 * KIB, 1024 * MIB).default(16 * MIB),
      chatterBytes: powerOfTwo(64 * KIB, 1024 * MIB).default(4 * MIB),
    })
    .prefault({}),
  batch: z
    .strictObject({
      rowsMax: z.int().min(1).max(10_000).default(2_000),
      bytesMax: bytes(16 * KIB, 8 * MIB).default(900_000),
      flushMs: z.int().min(10).max(60_000).default(500),
      heartbeatMs: z.int().min(100).max(600_000).default(10_000),
    })
    .prefault({}),
  spool: z
    .strictObject({
      path: z.string().regex(/^\//, 'must be an absolute path').default('/var/spool/tcptrail'),
      segmentBytes: bytes(64 * KIB, 1024 * MIB).default(16 * MIB),
      bytesMax: bytes(256 * KIB, 1024 * 1024 * MIB).default(512 * MIB),
      /** 0 = never: power loss may then cost what the kernel had not written. */
      fsyncMs: z.int().min(0).max(60_000).default(1_000),
    })
    .prefault({}),
  process: z
    .strictObject({
      /** Command lines can hold secrets: off unless asked for. */
      commandLine: z.boolean().default(false),
    })
    .prefault({}),
  own: z
    .strictObject({
      /** Process whose children are tcptrail's own parts; 0 = none. Set by `tcptrail up`. */
      supervisorPid: z.int().min(0).default(0),
    })
    .prefault({}),
  metrics: z
    .strictObject({
      host: z.string().min(1).default('127.0.0.1'),
      /** 0 = no metrics listener. */
      port: z.int().min(0).max(65_535).default(9480),
    })
    .prefault({}),
});

export type AgentConfig = Readonly<z.infer<typeof schema>>;
type Tree = { [key: string]: unknown };

/** Throws AGENT_CONFIG_*. A missing file is an error only when it was named. */
export function loadConfig(options: {
  readonly file?: string | undefined;
  readonly env?: Readonly<Record<string, string | undefined>>;
}): AgentConfig {
  const file = options.file ?? CONFIG_FILE_DEFAULT;
  const tree = parseFile(file, options.file !== undefined);
  check(tree, file);
  return check(withEnvironment(tree, options.env ?? {}), 'the environment', variableOf);
}

/** Environment variable → path of its key, for every key there is. */
export function environmentKeys(): ReadonlyMap<string, readonly string[]> {
  const keys = new Map<string, readonly string[]>();
  const walk = (node: unknown, path: readonly string[]): void => {
    if (typeof node === 'object' && node !== null) {
      for (const [key, child] of Object.entries(node)) walk(child, [...path, key]);
    } else {
      keys.set(variableOf(path), path);
    }
  };
  walk(schema.parse({}), []);
  return keys;
}

function variableOf(path: readonly string[]): string {
  const words = path.map((word) => word.replace(/[A-Z]/g, (capital) => `_${capital}`).toUpperCase());
  return ['TCPTRAIL', ...words].join('_');
}

function parseFile(file: string, mustExist: boolean): Tree {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const missing = reasonOf(error) === 'ENOENT';
    if (missing && !mustExist) return {};
    if (missing) throw agentError('AGENT_CONFIG_MISSING', [file], { cause: error });
    throw agentError('AGENT_CONFIG_UNREADABLE', [file, reasonOf(error)], { cause: error });
  }
  try {
    const tree: unknown = parseYaml(text, { prettyErrors: true });
    if (tree === null || tree === undefined) return {};
    if (typeof tree === 'object' && !Array.isArray(tree)) return tree as Tree;
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error;
    const problem = error.message.split('\n')[0]?.replace(/:$/, '') ?? error.code;
    throw agentError('AGENT_CONFIG_SYNTAX', [file, problem], { cause: error });
  }
  throw agentError('AGENT_CONFIG_SYNTAX', [file, 'it holds no keys']);
}

function withEnvironment(tree: Tree, env: Readonly<Record<string, string | undefined>>): Tree {
  const defaults = schema.parse({}) as Tree;
  const merged = structuredClone(tree);
  for (const [variable, path] of environmentKeys()) {
    const text = env[variable];
    if (text === undefined) continue;
    const parents = path.slice(0, -1);
    const key = path.at(-1) ?? '';
    let node = merged;
    let standard = defaults;
    for (const parent of parents) {
      node[parent] ??= {};
      node = node[parent] as Tree;
      standard = standard[parent] as Tree;
    }
    node[key] = parseValue(text, typeof standard[key], variable);
  }
  return merged;
}

function parseValue(text: string, type: string, variable: string): unknown {
  if (type === 'string') return text;
  if (type === 'number' && /^\d+$/.test(text)) return Number(text);
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  const wanted = type === 'number' ? 'a whole number' : 'true or false';
  throw agentError('AGENT_CONFIG_INVALID', [
    variable,
    'the environment',
    `${JSON.stringify(text)} is not ${wanted}`,
  ]);
}

const dotted = (path: readonly string[]): string => path.join('.') || 'the top level';

function check(tree: Tree, source: string, nameOf = dotted): AgentConfig {
  const parsed = schema.safeParse(tree);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const path = (issue?.path ?? []).map(String);
  if (issue?.code === 'unrecognized_keys') {
    const key = [...path, issue.keys[0] ?? ''].join('.');
    throw agentError('AGENT_CONFIG_UNKNOWN_KEY', [key, source, knownKeys(path)]);
  }
  throw agentError('AGENT_CONFIG_INVALID', [nameOf(path), source, issue?.message ?? 'invalid']);
}

function knownKeys(path: readonly string[]): string {
  let node: unknown = schema.parse({});
  for (const key of path) node = (node as Tree)[key];
  return Object.keys(node as Tree).join(', ');
}
