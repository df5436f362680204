/** What the programs are told of what to tell: at load, and while they run. `struct tunables` of bpf/connection.bpf.h. */

/** What may change while the programs run. */
export interface EventTunables {
  /** A connection gets its `open` at this age; 0: at once. */
  readonly openHoldMs: number;
  /** Time between two `update` of a connection; 0: none. */
  readonly updateMs: number;
  /** Most `retransmit` of one connection in a second; 0: all. */
  readonly retransmitsPerSecond: number;
  /** A listener that still listens is told again after this time, whether its numbers moved or not. */
  readonly listenerMs: number;
  /** No `update`, and no `listener` of numbers that moved, whatever `updateMs` says; those of connections older than the agent stay. */
  readonly updatesOff: boolean;
  /** No `retransmit`, whatever the limit says; all are counted in their connection. */
  readonly retransmitsOff: boolean;
}

/** What stays as it is for the life of the kernel state. */
export interface KernelConstants {
  /** Tells storage that this agent looked at from what an earlier one left. */
  readonly epoch: bigint;
  readonly jiffiesHz: number;
}

export const TUNABLES_MAP = '.data.tunables';
export const TUNABLES_BYTES = 40;

const OPEN_HOLD_NS = 0;
const EPOCH = 8;
const UPDATE_NS = 16;
const RETRANSMITS_PER_SECOND = 24;
const JIFFIES_HZ = 28;
const LISTENER_NS = 32;
const NS_PER_MS = 1_000_000n;
const NO_LIMIT = 0xffff_ffff;
const DEFAULT: EventTunables = {
  openHoldMs: 0,
  updateMs: 0,
  retransmitsPerSecond: 0,
  // Often enough for every day that is kept to know it.
  listenerMs: 86_400_000,
  updatesOff: false,
  retransmitsOff: false,
};

export interface Tunables {
  /** The whole struct, to be loaded. */
  bytes(constants: KernelConstants): Buffer;
  /** Changes what is named, in memory that programs may be reading. */
  change(memory: Memory, part: Partial<EventTunables>): void;
}

interface Memory {
  readonly memory: ArrayBufferLike;
  readonly offset: number;
}

export function createTunables(first: Partial<EventTunables> = {}): Tunables {
  let events: EventTunables = { ...DEFAULT, ...first };
  return {
    bytes({ epoch, jiffiesHz }) {
      const bytes = Buffer.from(new ArrayBuffer(TUNABLES_BYTES));
      bytes.writeBigUInt64LE(epoch, EPOCH);
      bytes.writeUInt32LE(jiffiesHz, JIFFIES_HZ);
      write({ memory: bytes.buffer, offset: 0 }, events);
      return bytes;
    },
    change(memory, part) {
      events = { ...events, ...part };
      write(memory, events);
    },
  };
}

/** Each value by one store: none is ever seen half written. */
function write({ memory, offset }: Memory, events: EventTunables): void {
  const { openHoldMs, updatesOff, updateMs, listenerMs, retransmitsOff, retransmitsPerSecond } = events;
  const ns = (at: number, ms: number): void => {
    new BigUint64Array(memory, offset + at, 1)[0] = BigInt(ms) * NS_PER_MS;
  };
  ns(OPEN_HOLD_NS, openHoldMs);
  ns(UPDATE_NS, updatesOff ? 0 : updateMs);
  ns(LISTENER_NS, listenerMs);
  new Uint32Array(memory, offset + RETRANSMITS_PER_SECOND, 1)[0] = retransmitsOff
    ? 0
    : retransmitsPerSecond || NO_LIMIT;
}
