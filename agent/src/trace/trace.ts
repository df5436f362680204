/**
 * The kernel side of the agent: programs attached, what they record, and what outlives the agent.
 *
 * A state is one loading of the programs. It goes on recording while no agent is there; the next one of the same layout
 * goes on with it, one of another layout puts a new state in its place and drains the old.
 *
 * Use: start; drain and forget each of `previous`; then again and again `beat`, `sample` the recording, drain both rings
 * up to its positions, release what is spooled. At the end close: for another run to go on, or after `detach` and
 * draining what the rings hold, for good.
 */
import { join } from 'node:path';
import { createLibc, type Libc } from '../libc.ts';
import { HOOKS, type Hook } from './hooks.ts';
import { jiffiesHz } from './jiffies.ts';
import { createLibbpf } from './libbpf.ts';
import { BPFFS } from './mounts.ts';
import { NO_PREVIOUS, type PreviousStates, type UndrainedState } from './previous.ts';
import type { Capability } from './programs.ts';
import type { Recording } from './recording.ts';
import { BTF_PATH, checkRequirements } from './requirements.ts';
import { createStates, type RunningState, type States } from './states.ts';
import { createTunables, type EventTunables } from './tunables.ts';
import { createWatch, type Watch } from './watch.ts';

export interface TraceConfig {
  /** Names what is pinned; two traces of one host need two names. */
  readonly instance: string;
  /** Powers of two and multiples of the page size. */
  readonly ring: { readonly lifecycleBytes: number; readonly chatterBytes: number };
  readonly events?: Partial<EventTunables> & {
    /** Time between two looks for what no hook tells. */
    readonly scanMs?: number;
  };
  /** Without an agent for so long, the programs record no more. */
  readonly absentMs?: number;
  readonly bpffs?: string;
  readonly btfPath?: string;
  readonly objectPath?: string;
}

export interface Trace {
  /** Throws TRACE_*. Sockets that exist are scanned before it returns. */
  start(): void;
  /** What is recorded now. */
  readonly recording: Recording;
  /** States that record no more, oldest first: drain them before the recording. */
  readonly previous: readonly Recording[];
  /** Such states that cannot be opened now; they stay pinned. */
  readonly unopened: readonly UndrainedState[];
  /** Such states that are gone, because nothing could be read of them, or too many waited. */
  readonly givenUp: readonly UndrainedState[];
  /** All of a previous one is told. */
  forget(kernelEpoch: number): void;
  readonly capabilities: readonly Capability[];
  /** How long the scan at the start took; 0 when there was none. */
  readonly scanMs: number;
  /** '' or why nothing will outlive a kill. */
  readonly notPinned: string;
  /** The agent is still there. At least every few seconds. */
  beat(): void;
  /** The programs record no more, because no agent was there for long: a new start begins anew. */
  readonly hasGivenUp: boolean;
  /** Looks for what no hook tells, when it is time to. */
  watch(nowMs: number): void;
  /** From now on; what is not named stays as it is. */
  setTunables(change: Partial<EventTunables>): void;
  /** Time between two looks for what no hook tells, from now on. */
  setScanMs(scanMs: number): void;
  /**
   * Each open connection that an earlier state of this instance knew is told in the rings. Never, where a program for
   * that lacks, or what that state knew: sockets that no process holds open are in no list then.
   */
  readonly olderTold: boolean;
  /** Records no more. Rings and accounts stay readable. */
  detach(): void;
  readonly isDetached: boolean;
  /**
   * `forget`: what is not needed any more, beside this process's part: nothing of it, the state, all of the instance.
   * '' or why that is still pinned.
   */
  close(options: { readonly forget: 'nothing' | 'state' | 'instance' }): string;
}

const SCAN_MS = 5_000;
const ABSENT_MS = 600_000;
/** What finds connections that are older, and tells them. */
const OLDER_PROGRAMS = ['scan_connections', 'watch_sockets'];
/** A pass that pauses may pass over a socket when others went meanwhile: the next finds it. */
const OLDER_PASSES = 2;
/** Share of a ring beyond which nothing is looked for: what hooks tell comes first. */
const ROOM_MAX = 0.5;
const OBJECT_PATH = join(import.meta.dirname, '../../../bpf/tcptrail.bpf.o');

export function createTrace(
  config: TraceConfig,
  deps: {
    readonly nowUs: () => number;
    readonly libc?: Libc;
    /** Whether an earlier run's recording may be gone on with; else a new one takes its place. Absent: each. */
    readonly canGoOn?: (recording: Recording) => boolean;
    /** Other than all that there are. */
    readonly hooks?: readonly Hook[];
  },
): Trace {
  const { nowUs, libc = createLibc(), canGoOn = () => true } = deps;
  const tunables = createTunables(config.events);
  let states: States | undefined;
  let current: RunningState | undefined;
  let watch: Watch | undefined;
  let { previous, unopened, givenUp }: PreviousStates = NO_PREVIOUS;
  let tellsOlder = false;
  let isDetached = false;

  const active = (): RunningState => {
    if (!current) throw new Error('the trace is not started');
    return current;
  };

  return {
    start() {
      checkRequirements(config.btfPath ?? BTF_PATH);
      states = createStates(
        {
          instance: config.instance,
          bpffs: config.bpffs ?? BPFFS,
          objectPath: config.objectPath ?? OBJECT_PATH,
          ring: config.ring,
          absentMs: config.absentMs ?? ABSENT_MS,
          jiffiesHz: jiffiesHz(),
          hooks: deps.hooks ?? HOOKS,
        },
        { libbpf: createLibbpf(), libc, tunables, nowUs, canGoOn },
      );
      current = states.begin();
      ({ previous, unopened, givenUp } = states.previous());
      isDetached = false;
      watch = createWatch(
        { everyMs: config.events?.scanMs ?? SCAN_MS, links: current.watches },
        { iterate: states.iterate },
      );
      const runs = (wanted: string) => active().capabilities.some((c) => c.program === wanted && c.attached);
      tellsOlder = current.control.isOlder && OLDER_PROGRAMS.every(runs);
    },
    get recording() {
      return active().recording;
    },
    get previous() {
      return previous;
    },
    get unopened() {
      return unopened;
    },
    get givenUp() {
      return givenUp;
    },
    forget(kernelEpoch) {
      for (const recording of previous) if (recording.kernelEpoch === kernelEpoch) recording.close();
      previous = previous.filter((recording) => recording.kernelEpoch !== kernelEpoch);
      states?.forget(kernelEpoch);
    },
    get capabilities() {
      return active().capabilities;
    },
    get scanMs() {
      return active().scanMs;
    },
    get notPinned() {
      return active().notPinned;
    },
    beat() {
      if (!isDetached) active().control.beat();
    },
    get hasGivenUp() {
      return !isDetached && active().control.active === 0;
    },
    watch(nowMs) {
      const { lifecycle, chatter } = active().recording.rings;
      watch?.turn({ nowMs, room: () => lifecycle.fill() < ROOM_MAX && chatter.fill() < ROOM_MAX });
    },
    setScanMs: (scanMs) => watch?.setEveryMs(scanMs),
    setTunables: (change) => tunables.change(active().tunables, change),
    get olderTold() {
      return tellsOlder && watch !== undefined && watch.passes >= OLDER_PASSES;
    },
    get isDetached() {
      return isDetached;
    },
    detach() {
      if (isDetached) return;
      isDetached = true;
      watch?.close();
      watch = undefined;
      active().detach();
    },
    close({ forget }) {
      const { close, recording } = active();
      current = undefined;
      watch?.close();
      watch = undefined;
      for (const each of previous) each.close();
      previous = [];
      // Pins first: what a process closes last goes at once.
      const stays = {
        nothing: () => '',
        state: () => states?.forget(recording.kernelEpoch),
        instance: () => states?.forgetAll(),
      }[forget]();
      close();
      states?.close();
      return stays ?? '';
    },
  };
}
