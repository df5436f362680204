/**
 * The kernel side of the agent: programs attached, rings and accounts mapped.
 *
 * Use: start; then again and again `sample`, drain both rings up to its positions, release what is spooled. At
 * the end stop (detaches: nothing new comes), drain what the rings hold, close.
 */
import { createHash } from 'node:crypto';
import { closeSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BatchEnvelope } from '@tcptrail/schemas/batch.ts';
import { RING_EVENT_BYTES } from '@tcptrail/schemas/generated/ring.ts';
import { ACCOUNT_BYTES, type Accounts, createAccounts, type KernelAccount } from './accounts.ts';
import { traceError } from './errors.ts';
import type { Hook } from './hooks.ts';
import { jiffiesHz } from './jiffies.ts';
import { createLibbpf, errnoName, type Libbpf, type Mapping } from './libbpf.ts';
import { BPFFS } from './mounts.ts';
import { createKernelNames } from './names.ts';
import { createPins, type Pins, type StaleAccounts } from './pins.ts';
import { attachPrograms, type Capability, type Programs } from './programs.ts';
import { BTF_PATH, checkRequirements } from './requirements.ts';
import { createRingBuffer, type RingBuffer } from './ring-buffer.ts';
import { runScans } from './scan.ts';
import { createTunables, type EventTunables, TUNABLES_BYTES, TUNABLES_MAP } from './tunables.ts';
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
  readonly bpffs?: string;
  readonly btfPath?: string;
  readonly objectPath?: string;
}

/** The kernel's counts at one instant, and how far to drain so that every number up to them is told. */
export interface Sample {
  readonly accounts: readonly KernelAccount[];
  readonly upTo: { readonly lifecycle: number; readonly chatter: number };
}

export interface Trace {
  /** Throws TRACE_*. Sockets that exist are scanned before it returns. */
  start(): void;
  /** Detaches. Rings and accounts stay readable. */
  stop(): void;
  /**
   * Gives all of it back. `forgetAccounts`: unpins them too, because all that they count is told.
   * `forgetConnections`: no agent of this instance will come back to go on with them.
   */
  close(options?: { readonly forgetAccounts?: boolean; readonly forgetConnections?: boolean }): void;
  /** µs since the epoch: when this kernel state was made. */
  readonly kernelEpoch: number;
  readonly rings: { readonly lifecycle: RingBuffer; readonly chatter: RingBuffer };
  readonly capabilities: readonly Capability[];
  /** How long the scan at the start took. */
  readonly scanMs: number;
  /** '' or why accounts and connections will not outlive a kill. */
  readonly notPinned: string;
  /** undefined when an event was under way: ask at the next poll. */
  sample(): Sample | undefined;
  /** Looks for what no hook tells, when it is time to. */
  watch(nowMs: number): void;
  /** From now on; what is not named stays as it is. */
  setTunables(change: Partial<EventTunables>): void;
  /** Time between two looks for what no hook tells, from now on. */
  setScanMs(scanMs: number): void;
  /**
   * Each open connection that an earlier trace of this instance knew is told in the rings. Never, where a program for
   * that lacks, or what that trace knew: sockets that no process holds open are in no list then.
   */
  readonly olderTold: boolean;
  readonly names: Running['names'];
  failedReserves(): BatchEnvelope['failed_reserves'][number][];
  skippedRuns(): BatchEnvelope['programs'][number][];
  /** State changes of sockets that got no storage. */
  untracked(): number;
  /** Accounts that killed agents of this instance left. */
  stale(): StaleAccounts[];
  /** All of such an account is told. */
  unpin(kernelEpoch: number): void;
}

interface Running {
  readonly programs: Programs;
  readonly accounts: Accounts;
  readonly names: ReturnType<typeof createKernelNames>;
  readonly tunables: Mapping;
  readonly rings: { readonly lifecycle: RingBuffer; readonly chatter: RingBuffer };
  readonly mappings: readonly Mapping[];
}

const SCAN_MS = 5_000;
/** What finds connections that are older, and tells them. */
const OLDER_PROGRAMS = ['scan_connections', 'watch_sockets'];
/** A pass that pauses may pass over a socket when others went meanwhile: the next finds it. */
const OLDER_PASSES = 2;
/** Share of a ring beyond which nothing is looked for: what hooks tell comes first. */
const ROOM_MAX = 0.5;
const OBJECT_PATH = join(import.meta.dirname, '../../../bpf/tcptrail.bpf.o');

/** `hooks`: other than all that there are. */
export function createTrace(
  config: TraceConfig,
  deps: { readonly nowUs: () => number; readonly hooks?: readonly Hook[] },
): Trace {
  const tunables = createTunables(config.events);
  let kernelEpoch = 0;
  let running: Running | undefined;
  let watch: Watch | undefined;
  let pins: Pins | undefined;
  let notPinned = '';
  let capabilities: readonly Capability[] = [];
  let scanMs = 0;
  /** Storage goes on from an earlier trace, and what finds and tells older connections runs. */
  let tellsOlder = false;

  const active = (): Running => {
    if (!running) throw new Error('the trace is not started');
    return running;
  };
  const pinned = (): Pins => {
    if (!pins) throw new Error('the trace is not started');
    return pins;
  };

  return {
    start() {
      checkRequirements(config.btfPath ?? BTF_PATH);
      const objectPath = config.objectPath ?? OBJECT_PATH;
      const layout = layoutOf(objectPath);
      const libbpf = createLibbpf();
      kernelEpoch = deps.nowUs();
      pins = createPins({ instance: config.instance, bpffs: config.bpffs ?? BPFFS }, libbpf);
      const unpinnable = pins.open();
      const connectionsFd = pins.connections(layout);
      running = open(libbpf, config, {
        objectPath,
        tunables: tunables.bytes({ epoch: BigInt(kernelEpoch), jiffiesHz: jiffiesHz() }),
        connectionsFd,
        hooks: deps.hooks,
      });
      if (connectionsFd !== undefined) closeSync(connectionsFd);
      const { object } = running.programs;
      notPinned =
        unpinnable ||
        pins.pinAccounts(object.map('accounts'), kernelEpoch) ||
        pins.pinConnections(object.map('connections'), layout);
      const watching = createWatch({ everyMs: config.events?.scanMs ?? SCAN_MS }, { libbpf, ...running });
      watch = watching.watch;
      const scanFromMs = performance.now();
      const refused = [...runScans(libbpf, running.programs), ...watching.refused];
      scanMs = Math.round(performance.now() - scanFromMs);
      capabilities = withFailures(running.programs.capabilities, refused);
      const runs = (wanted: string) => capabilities.some((c) => c.program === wanted && c.attached);
      tellsOlder = connectionsFd !== undefined && OLDER_PROGRAMS.every(runs);
    },
    stop() {
      watch?.close();
      watch = undefined;
      active().programs.detach();
    },
    close({ forgetAccounts = false, forgetConnections = false } = {}) {
      const { programs, mappings } = active();
      running = undefined;
      watch?.close();
      watch = undefined;
      programs.detach();
      for (const mapping of mappings) mapping.unmap();
      programs.object.close();
      if (forgetAccounts) pinned().unpin(kernelEpoch);
      if (forgetConnections) pinned().unpinConnections();
    },
    get kernelEpoch() {
      return kernelEpoch;
    },
    get rings() {
      return active().rings;
    },
    get capabilities() {
      return capabilities;
    },
    get scanMs() {
      return scanMs;
    },
    get notPinned() {
      return notPinned;
    },
    sample() {
      const { accounts, rings } = active();
      const sampled = accounts.sample();
      // Positions after the counts: what is counted was in its ring before.
      return (
        sampled && {
          accounts: sampled,
          upTo: { lifecycle: rings.lifecycle.producerPosition(), chatter: rings.chatter.producerPosition() },
        }
      );
    },
    watch(nowMs) {
      const { lifecycle, chatter } = active().rings;
      watch?.turn({ nowMs, room: () => lifecycle.fill() < ROOM_MAX && chatter.fill() < ROOM_MAX });
    },
    setScanMs: (scanMs) => watch?.setEveryMs(scanMs),
    setTunables: (change) => tunables.change(active().tunables, change),
    get olderTold() {
      return tellsOlder && watch !== undefined && watch.passes >= OLDER_PASSES;
    },
    get names() {
      return active().names;
    },
    failedReserves: () => active().accounts.failedReserves(),
    skippedRuns() {
      const { accounts, programs } = active();
      return programs.skippedRuns(accounts.recovered());
    },
    untracked: () => active().accounts.untracked(),
    stale: () => pinned().stale(kernelEpoch),
    unpin: (epoch) => pinned().unpin(epoch),
  };
}

/** Any other build may lay the storage out in another way. */
function layoutOf(objectPath: string): string {
  try {
    return createHash('sha256').update(readFileSync(objectPath)).digest('hex').slice(0, 16);
  } catch (error) {
    throw traceError('TRACE_OBJECT', objectPath, error);
  }
}

function open(
  libbpf: Libbpf,
  config: TraceConfig,
  kernel: {
    readonly objectPath: string;
    readonly tunables: Buffer;
    readonly connectionsFd: number | undefined;
    readonly hooks: readonly Hook[] | undefined;
  },
): Running {
  const object = {
    path: kernel.objectPath,
    connectionsFd: kernel.connectionsFd,
    ring: config.ring,
    tunables: kernel.tunables,
  };
  const programs = attachPrograms(libbpf, object, kernel.hooks);
  const mappings: Mapping[] = [];
  const map = (name: string, options: { offset: number; bytes: number; writable: boolean }): Mapping => {
    const mapping = libbpf.mmap(libbpf.mapFd(programs.object.map(name)), options);
    if (typeof mapping !== 'number') {
      mappings.push(mapping);
      return mapping;
    }
    for (const earlier of mappings) earlier.unmap();
    programs.detach();
    programs.object.close();
    throw traceError('TRACE_MAP', `${name} (${options.bytes} bytes, ${errnoName(mapping)})`);
  };
  const ring = (name: 'lifecycle' | 'chatter', size: number): RingBuffer => {
    const page = libbpf.pageBytes;
    const consumer = map(name, { offset: 0, bytes: page, writable: true });
    const producer = map(name, { offset: page, bytes: page + size, writable: false });
    return createRingBuffer({
      consumer: new BigUint64Array(consumer.memory, consumer.offset, 1),
      producer: new BigUint64Array(producer.memory, producer.offset, 1),
      words: new Uint32Array(producer.memory, producer.offset + page, size / 4),
      bytes: new Uint8Array(producer.memory, producer.offset + page, size),
      size,
      recordBytes: RING_EVENT_BYTES,
    });
  };
  const cpus = libbpf.possibleCpus();
  const memory = map('accounts', { offset: 0, bytes: cpus * ACCOUNT_BYTES, writable: false });
  const rings = {
    lifecycle: ring('lifecycle', config.ring.lifecycleBytes),
    chatter: ring('chatter', config.ring.chatterBytes),
  };
  const tunables = map(TUNABLES_MAP, { offset: 0, bytes: TUNABLES_BYTES, writable: true });
  const words = new BigUint64Array(memory.memory, memory.offset, (cpus * ACCOUNT_BYTES) / 8);
  const mapOf = (name: string) => {
    const fd = libbpf.mapFd(programs.object.map(name));
    return (key: Buffer, value: Buffer): boolean => libbpf.lookup(fd, key, value);
  };
  const names = createKernelNames({ executables: mapOf('executables'), cgroups: mapOf('cgroup_names') });
  return { programs, accounts: createAccounts(words, cpus), names, tunables, rings, mappings };
}

function withFailures(
  capabilities: readonly Capability[],
  failures: readonly { readonly program: string; readonly error: string }[],
): readonly Capability[] {
  return capabilities.map((capability) => {
    const failure = failures.find(({ program }) => program === capability.program);
    return failure ? { ...capability, attached: false, error: failure.error } : capability;
  });
}
