/** What records the connections: nothing, tcptrail's agent, or bcc's tcplife. Each is started anew for each round. */
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestAgent } from '../../harness/agent.ts';
import { until } from '../../harness/until.ts';
import { cpuOf } from './cpu.ts';
import { readSpool } from './spool-rows.ts';

export interface Captured {
  /** Of both sides of every connection, those recorded. */
  readonly ratio: number;
  /** Sides recorded more than once. */
  readonly doubled: number;
  /** Of the rows, those with the right process. */
  readonly owned: number;
  /** Events the kernel counted as lost: a ring was full or busy. */
  readonly lost: number;
}

export interface Recorder {
  /** 0: there is no process. */
  readonly pid: number;
  /** Everything that was made is written. */
  drained(made: Made): Promise<void>;
  /** Ends it, and counts what it wrote. */
  stop(made: Made): Promise<Captured>;
}

export interface Made {
  readonly pid: number;
  readonly networkNamespace: number;
  readonly connections: number;
}

/** Resolves when it records. */
export type StartRecorder = () => Promise<Recorder>;

export const RECORDERS = { none: startNone, tcptrail: startAgent, tcplife: startTcplife } as const;
export type RecorderName = keyof typeof RECORDERS;

async function startNone(): Promise<Recorder> {
  return { pid: 0, drained: async () => {}, stop: async () => ({ ratio: 0, doubled: 0, owned: 0, lost: 0 }) };
}

/** Default configuration but for its own instance and spool, and no metrics port. */
async function startAgent(): Promise<Recorder> {
  const folder = mkdtempSync(join(tmpdir(), 'tcptrail-bench-'));
  const agent = createTestAgent(folder);
  await agent.start();
  let rows: ReturnType<typeof readSpool> | undefined;
  return {
    pid: agent.part.pid,
    async drained({ networkNamespace, connections }) {
      rows = readSpool(agent.spool, networkNamespace);
      await rows.wait('close', 2 * connections);
    },
    async stop({ pid, connections }) {
      await agent.stop();
      rows?.read();
      rows?.close();
      rmSync(folder, { recursive: true, force: true });
      const sides = rows?.sides('close') ?? 0;
      return {
        ratio: sides / (2 * connections),
        doubled: (rows?.rows('close') ?? 0) - sides,
        owned: (rows?.rowsOf(pid) ?? 0) / (rows?.total ?? 0),
        lost: rows?.failed ?? 0,
      };
    },
  };
}

/** As a user has it: lines into a file. */
async function startTcplife(): Promise<Recorder> {
  const folder = mkdtempSync(join(tmpdir(), 'tcptrail-tcplife-'));
  const lines = join(folder, 'lines');
  const output = openSync(lines, 'w');
  const child = spawn('/usr/sbin/tcplife', [], { stdio: ['ignore', output, 'pipe'] });
  closeSync(output);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let errors = '';
  child.stderr?.on('data', (text: Buffer) => {
    errors += text.toString();
  });
  const pid = child.pid ?? 0;
  await until('tcplife to wait for events', () => {
    if (child.exitCode !== null) throw new Error(`tcplife ended: ${errors}`);
    return /do_epoll_wait|ep_poll/.test(readFileSync(`/proc/${pid}/wchan`, 'utf8'));
  });
  return {
    pid,
    async drained() {
      let last = -1;
      await until('tcplife to come to rest', () => {
        const now = cpuOf(pid);
        const rests = now === last;
        last = now;
        return rests;
      });
    },
    async stop({ pid: loadPid, connections }) {
      child.kill('SIGINT');
      await exited;
      const found = readFileSync(lines, 'utf8')
        .split('\n')
        .filter((line) => line.startsWith(`${loadPid} `));
      rmSync(folder, { recursive: true, force: true });
      return { ratio: found.length / (2 * connections), doubled: 0, owned: 1, lost: 0 };
    },
  };
}
