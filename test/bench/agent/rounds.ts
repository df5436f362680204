/** The same load with each recorder in turn, and what it costs the machine. */
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuBetween, cpuSnapshot } from './cpu.ts';
import type { LoadProgram } from './load.ts';
import { residentOf } from './memory.ts';
import { type Captured, RECORDERS, type RecorderName } from './recorders.ts';

/** CPU in µs a connection, both ends on this machine. */
export interface Round extends Captured {
  /** The load, the recorder, and the kernel's threads. */
  readonly cpu_us: number;
  /** By /proc/stat, less what processes that have no part in it used. */
  readonly machine_us: number;
  /** The load's own, by getrusage: what is recorded in the kernel is charged to it. */
  readonly load_us: number;
  readonly recorder_user_us: number;
  readonly recorder_system_us: number;
  readonly kernel_threads_us: number;
  readonly seconds: number;
  /** When everything was written. */
  readonly rss_mb: number;
  readonly rss_mb_max: number;
  readonly pss_mb: number;
}

const NAMES = Object.keys(RECORDERS) as RecorderName[];
/** For the namespace of the load before to be taken down. */
const REST_MS = 1_000;

/** Rounds by recorder. The order rotates, so that none always comes after the same. */
export async function runRounds(
  load: LoadProgram,
  options: { readonly rounds: number; readonly connections: number },
): Promise<Record<RecorderName, Round[]>> {
  const results: Record<RecorderName, Round[]> = { none: [], tcptrail: [], tcplife: [] };
  for (let round = 0; round < options.rounds; round++) {
    for (let turn = 0; turn < NAMES.length; turn++) {
      const name = NAMES[(round + turn) % NAMES.length] ?? 'none';
      const result = await runRound(name, load, options.connections);
      results[name].push(result);
      console.error(`round ${round + 1} of ${options.rounds}, ${name}: ${JSON.stringify(result)}`);
    }
  }
  return results;
}

async function runRound(name: RecorderName, program: LoadProgram, connections: number): Promise<Round> {
  await sleep(REST_MS);
  const load = await program.start(connections);
  const recorder = await RECORDERS[name]();
  const made = { pid: load.pid, networkNamespace: load.networkNamespace, connections };

  const before = cpuSnapshot();
  const said = JSON.parse(await load.ask('go')) as { readonly seconds: number; readonly cpu_us: number };
  await recorder.drained(made);
  const used = cpuBetween(before, cpuSnapshot(), [load.pid, recorder.pid]);

  const { userUs, systemUs } = used.of(recorder.pid);
  const memory = recorder.pid > 0 ? residentOf(recorder.pid) : { rssMb: 0, rssMbMax: 0, pssMb: 0 };
  const captured = await recorder.stop(made);
  await load.end();
  const perConnection = (us: number): number => Math.round((us / connections) * 100) / 100;
  return {
    ...captured,
    cpu_us: perConnection(said.cpu_us + userUs + systemUs + used.kernelThreadsUs),
    machine_us: perConnection(used.machineUs),
    load_us: perConnection(said.cpu_us),
    recorder_user_us: perConnection(userUs),
    recorder_system_us: perConnection(systemUs),
    kernel_threads_us: perConnection(used.kernelThreadsUs),
    seconds: said.seconds,
    rss_mb: memory.rssMb,
    rss_mb_max: memory.rssMbMax,
    pss_mb: memory.pssMb,
  };
}
