/** Ring records of real connections: the kernel side of the agent beside a load over loopback, each record kept. */
import { setTimeout as wait } from 'node:timers/promises';
import { AGENT_CONFIG } from '@tcptrail/agent/config.ts';
import { createOwners } from '@tcptrail/agent/enrich/owners.ts';
import { createProcesses, type ProcessFacts, type ProcessKey } from '@tcptrail/agent/enrich/process.ts';
import { createLibc } from '@tcptrail/agent/libc.ts';
import { createTrace, type Trace } from '@tcptrail/agent/trace/trace.ts';
import { RING_EVENT_BYTES } from '@tcptrail/schemas/generated/ring.ts';

const CONFIG = AGENT_CONFIG.parse({});
const POLL_MS = 20;

export interface RealRecords {
  readonly records: readonly Uint8Array[];
  /** What was found of the owner of every record while its process lived, by `nameOf`. */
  readonly facts: ReadonlyMap<string, ProcessFacts>;
  readonly clockOffsetUs: number;
  /** What the kernel side says in every batch beside the events. */
  readonly skippedRuns: ReturnType<Trace['recording']['skippedRuns']>;
}

export const nameOf = ({ pid, startNs, execId, cgroupId }: ProcessKey): string =>
  [pid, startNs, execId, cgroupId].join(' ');

/** Everything the kernel side of an agent as by default tells while `run` makes connections. */
export async function recordLoad(run: () => Promise<unknown>): Promise<RealRecords> {
  const libc = createLibc();
  const nowUs = (): number => Number(libc.realtimeNs() / 1_000n);
  const clockOffsetUs = nowUs() - Number(libc.boottimeNs() / 1_000n);
  const trace = createTrace({ ...CONFIG, instance: `bench-${process.pid}` }, { nowUs });
  const processes = createProcesses({}, { names: () => trace.recording.names });
  const facts = new Map<string, ProcessFacts>();
  const owners = createOwners(
    { agentPid: process.pid, supervisorPid: 0 },
    {
      facts(key) {
        const found = processes.facts(key);
        facts.set(nameOf(key), found);
        return found;
      },
      clockOffsetUs: () => clockOffsetUs,
    },
  );
  const records: Uint8Array[] = [];
  function keep(words: Uint32Array, bytes: Uint8Array, at: number): void {
    owners.indexOf(words, bytes, at);
    records.push(bytes.slice(at, at + RING_EVENT_BYTES));
  }
  function drain(): void {
    trace.watch(performance.now());
    for (const ring of Object.values(trace.recording.rings)) {
      ring.drain(ring.producerPosition(), keep);
      ring.release();
    }
  }

  trace.start();
  try {
    const load = { isOver: false };
    const made = run().finally(() => {
      load.isOver = true;
    });
    while (!load.isOver) {
      drain();
      await wait(POLL_MS);
    }
    await made;
    drain();
    return { records, facts, clockOffsetUs, skippedRuns: trace.recording.skippedRuns() };
  } finally {
    trace.detach();
    trace.close({ forget: 'instance' });
  }
}
