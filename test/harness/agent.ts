/** An agent of a test's own instance, with its spool, as a process. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NODE_FLAGS } from '../../agent/src/node-flags.ts';
import { type Part, startPart } from './process.ts';

const CRASH_AT = join(import.meta.dirname, '../chaos/crash-at.ts');
const AGENT = join(import.meta.dirname, '../../agent/src/main.ts');

export interface TestAgent {
  /** As configured, '' for this machine's. */
  readonly host: string;
  readonly spool: string;
  readonly part: Part;
  /** Resolves when it records. */
  start(): Promise<void>;
  /** Starts one that kills itself after it has passed the step so often (chaos/crash-at.ts). */
  startDoomed(step: string, passed: number): void;
  /** Whether the reader has passed everything in the spool. */
  isRead(reader: 'clickhouse' | 'kafka'): boolean;
  /** What the kernel had numbered by kernel epoch and CPU, read by bpftool from the accounts pinned now. */
  pinnedNumbers(): Map<string, number>;
  /** Ends it and takes away what it left outside the folder. */
  stop(): Promise<void>;
}

let instances = 0;

/** Keeps everything in `folder`; `config` goes over what a test needs. */
export function createTestAgent(folder: string, config: object = {}): TestAgent {
  const instance = `test-${process.pid}-${++instances}`;
  const spool = join(folder, 'spool');
  mkdirSync(spool, { recursive: true });
  const pins = `/sys/fs/bpf/tcptrail/${instance}`;
  const file = join(folder, 'agent.yaml');
  // YAML is a superset of JSON.
  const own = { instance, spool: { path: spool }, metrics: { port: 0 } };
  // Tests that kill it again and again do not wait for it.
  writeFileSync(file, JSON.stringify({ ...own, guest: { crashWaitMsMax: 0, cpuPercentMax: 0 }, ...config }));
  let part: Part | undefined;
  return {
    host: 'hostId' in config ? String(config.hostId) : '',
    spool,
    get part() {
      if (!part) throw new Error('the agent was not started');
      return part;
    },
    async start() {
      part = startPart([...NODE_FLAGS, AGENT, '--config', file]);
      await part.said('agent runs');
    },
    startDoomed(step, passed) {
      const args = [...NODE_FLAGS, '--import', CRASH_AT, AGENT, '--config', file];
      part = startPart(args, { TCPTRAIL_CRASH_AT: `${step}:${passed}` });
    },
    isRead(reader) {
      const newest = readdirSync(spool)
        .filter((name) => name.endsWith('.avro'))
        .toSorted()
        .at(-1);
      const cursorFile = join(spool, `cursor/${reader}.json`);
      if (newest === undefined || !existsSync(cursorFile)) return false;
      const cursor = JSON.parse(readFileSync(cursorFile, 'utf8')) as { segment: string; position: number };
      return cursor.segment === newest && cursor.position === statSync(join(spool, newest)).size;
    },
    pinnedNumbers() {
      const numbers = new Map<string, number>();
      for (const name of readdirSync(pins).filter((pin) => /^\d+-/.test(pin))) {
        const [epoch] = name.split('-');
        const accounts = join(pins, name, 'maps/accounts');
        const dump = execFileSync('bpftool', ['-j', 'map', 'dump', 'pinned', accounts], {
          encoding: 'utf8',
        });
        const elements = JSON.parse(dump) as { formatted: { key: number; value: { seq: number } } }[];
        for (const { formatted } of elements) numbers.set(`${epoch}/${formatted.key}`, formatted.value.seq);
      }
      return numbers;
    },
    async stop() {
      await part?.end('SIGINT');
      rmSync(pins, { recursive: true, force: true });
      rmSync(`/run/tcptrail/agent-${instance}.lock`, { force: true });
    },
  };
}
