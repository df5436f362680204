/**
 * The agent as a guest of its host: it comes only where it may and not in a crash loop, takes a place behind others,
 * keeps its ceilings, and leaves when it is told to.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Health } from '@tcptrail/schemas/batch.ts';
import type { AgentConfig } from './config.ts';
import { agentError } from './errors.ts';
import { createCrashes } from './guest/crashes.ts';
import { createDisabledFile } from './guest/disabled.ts';
import { type Ceilings, createLadder, type Step } from './guest/ladder.ts';
import { takePriority } from './guest/priority.ts';
import type { Libc } from './libc.ts';
import type { Notices } from './notices.ts';
import { isPinned } from './trace/pins.ts';

type Capabilities = Health['capabilities'];

export interface GuestDeps {
  readonly libc: Pick<Libc, 'setIoPriority'>;
  readonly notices: Pick<
    Notices,
    | 'priorityRefused'
    | 'crashLoop'
    | 'gaveUp'
    | 'tookBack'
    | 'heldUp'
    | 'disabled'
    | 'disabledUnknown'
    | 'recordingGivenUp'
  >;
  readonly trace: {
    setTunables(change: { readonly updatesOff?: boolean; readonly retransmitsOff?: boolean }): void;
    /** Of all programs. */
    detach(): void;
    /** No agent was there for long. */
    readonly hasGivenUp: boolean;
  };
  /** Repeated connections, whatever the configuration says of them. */
  readonly fold: (isOn: boolean) => void;
  readonly stop: AbortSignal;
  /** Monotonic, ms. */
  readonly nowMs: () => number;
}

export interface Guest {
  /** Once, before anything is attached. Waits after crashes. False: stopped meanwhile. Throws AGENT_DISABLED*. */
  enter(): Promise<boolean>;
  /** Other ceilings, from now on. */
  configure(ceilings: Ceilings): void;
  /** Once a turn of the agent. */
  turn(): void;
  /** The agent is to end: it was stopped, or leaves by itself. */
  readonly stop: AbortSignal;
  /** Nothing of it may stay on this host. */
  readonly isDisabled: boolean;
  /** That of the `programs` and all that was given up. */
  capabilities(programs: Capabilities): Capabilities;
  /** The end came by itself: no crash. */
  left(): void;
  /** `again`: no program records, and a new start makes them do so. Throws AGENT_DISABLED. */
  outcome(): 'ended' | 'again';
}

/**
 * The same process with nothing in its memory: who started it sees no end. One that is no longer root cannot attach
 * again, and leaves the new start to its supervisor. Throws AGENT_START_AGAIN.
 */
export function startAgain(): void {
  if (process.getuid?.() !== 0) throw agentError('AGENT_START_AGAIN', []);
  process.execve?.(process.execPath, [process.execPath, ...process.execArgv, ...process.argv.slice(1)]);
}

/** A turn that comes later than this was held up: the process did not run. */
const HELD_UP_MS = 5_000;
const LOOK_MS = 1_000;
const ALL = 'programs';

export function createGuest(
  config: Pick<AgentConfig, 'guest' | 'instance' | 'ring' | 'spool'>,
  deps: GuestDeps,
): Guest {
  const { guest, ring } = config;
  // Mapped, and resident from the start: what they may take is said by their own keys.
  const ringBytes = ring.lifecycleBytes + ring.chatterBytes;
  const { notices, trace, nowMs } = deps;
  const leave = new AbortController();
  const stop = leave.signal;
  deps.stop.addEventListener('abort', () => leave.abort('stopped'), { once: true });
  if (deps.stop.aborted) leave.abort('stopped');
  const disabledFile = createDisabledFile(guest.disabledFile, { onUnknown: notices.disabledUnknown });
  const crashes = createCrashes(
    { file: join(config.spool.path, 'crashes.json'), crashWaitMsMax: guest.crashWaitMsMax },
    { nowMs, timeMs: Date.now },
  );
  let isDisabled = false;
  let turnAtMs: number | undefined;

  const steps: readonly Step[] = [
    {
      name: 'updates',
      cost: 'updates of connections and listeners',
      giveUp: () => trace.setTunables({ updatesOff: true }),
      takeBack: () => trace.setTunables({ updatesOff: false }),
    },
    {
      name: 'retransmits',
      cost: 'retransmits one by one; the end of a connection counts them',
      giveUp: () => trace.setTunables({ retransmitsOff: true }),
      takeBack: () => trace.setTunables({ retransmitsOff: false }),
    },
    {
      name: 'fold',
      cost: 'single rows of repeated short connections',
      giveUp: () => deps.fold(true),
      takeBack: () => deps.fold(false),
    },
    {
      name: ALL,
      cost: 'all connections',
      patience: 10,
      giveUp: () => trace.detach(),
      // As after a restart: what came and went meanwhile was not seen.
      takeBack: () => leave.abort('again'),
    },
  ];
  const ladder = createLadder(guest, {
    steps,
    usage() {
      const { user, system } = process.cpuUsage();
      return { cpuUs: user + system, memoryBytes: Math.max(0, process.memoryUsage.rss() - ringBytes) };
    },
    onGivenUp: (step) => notices.gaveUp(step, ladder.givenUp.length),
    onTakenBack: (name) => notices.tookBack(name, ladder.givenUp.length),
  });

  const disabled = () => agentError('AGENT_DISABLED', [guest.disabledFile]);

  /** A run before the file was there may go on recording in the kernel: this one only ends that. */
  function endLeft(): true {
    if (!isPinned(config.instance)) throw disabled();
    isDisabled = true;
    leave.abort('disabled');
    return true;
  }

  return {
    stop,
    get isDisabled() {
      return isDisabled;
    },
    async enter() {
      if (disabledFile.isThere(nowMs())) return endLeft();
      for (const refused of takePriority(guest, deps.libc)) notices.priorityRefused(refused);
      const { count, waitMs } = crashes;
      if (waitMs > 0) notices.crashLoop({ count, waitMs });
      for (const endMs = nowMs() + waitMs; nowMs() < endMs && !stop.aborted; ) {
        await sleep(Math.min(LOOK_MS, endMs - nowMs()), undefined, { signal: stop }).catch(() => {});
        if (disabledFile.isThere(nowMs())) return endLeft();
      }
      if (!stop.aborted) crashes.begin();
      return !stop.aborted;
    },
    turn() {
      const now = nowMs();
      if (turnAtMs !== undefined && now - turnAtMs > HELD_UP_MS) notices.heldUp(now - turnAtMs);
      turnAtMs = now;
      crashes.ran(now);
      if (disabledFile.isThere(now) && !isDisabled) {
        isDisabled = true;
        notices.disabled(guest.disabledFile);
        leave.abort('disabled');
      }
      if (trace.hasGivenUp && !stop.aborted) {
        // What began and ended meanwhile was not seen: a new state looks at all that is open.
        notices.recordingGivenUp();
        leave.abort('again');
      }
      ladder.check(now);
    },
    capabilities(programs) {
      const all = ladder.givenUp.find(({ name }) => name === ALL);
      const told = all
        ? programs.map((program) => ({ ...program, attached: false, error: program.error || all.reason }))
        : programs;
      const given = ladder.givenUp.map(({ name, cost, reason }) => ({
        program: name,
        attached: false,
        error: reason,
        cost,
      }));
      return [...told, ...given];
    },
    configure: ladder.configure,
    left: crashes.ended,
    outcome() {
      if (isDisabled) throw disabled();
      return stop.reason === 'again' ? 'again' : 'ended';
    },
  };
}
