/**
 * Which kernel state of an instance records, and the beat that says an agent is still there. `struct control` of
 * bpf/control.bpf.h, one memory for all states of the instance, of whatever version.
 */
import type { Mapping } from './libbpf.ts';

export const CONTROL_MAP = '.data.control';

const ACTIVE = 0;
const BEAT = 1;
const ABSENT_JIFFIES = 2;
const ACTIVATED_TS = 3;
const OLDER = 4;
/** With those reserved. */
const WORDS = 16;

export const CONTROL_BYTES = WORDS * 8;

/** Where the kernel does not say how fast its jiffies go: the fastest that there are, so that none is absent too soon. */
const JIFFIES_HZ_MAX = 1_000;

export interface Control {
  /** Kernel epoch of the state that records; 0: none, as when no agent was there for long. */
  readonly active: number;
  /** The active state goes on with storage of another. */
  readonly isOlder: boolean;
  /** From now on this state records and no other. */
  activate(kernelEpoch: number, how: { readonly isOlder: boolean }): void;
  /** The state that records is gone on with; how long without an agent is too long may be another time than before. */
  goOn(): void;
  /** From now on none records. */
  deactivate(): void;
  /** An agent is there. A state that gave up before stays as it is: what came meanwhile it does not know. */
  beat(): void;
}

export function createControl(
  { memory, offset }: Pick<Mapping, 'memory' | 'offset'>,
  config: { readonly absentMs: number; readonly jiffiesHz: number },
  /** ns since boot, as the programs read it. */
  boottimeNs: () => bigint,
): Control {
  const words = new BigUint64Array(memory, offset, WORDS);
  const read = (word: number): number => Number(Atomics.load(words, word));
  const write = (word: number, value: bigint): void => void Atomics.store(words, word, value);
  const beat = (): void => void Atomics.add(words, BEAT, 1n);
  const hz = config.jiffiesHz || JIFFIES_HZ_MAX;
  const setAbsent = (): void => write(ABSENT_JIFFIES, BigInt(Math.ceil((config.absentMs / 1_000) * hz)));

  return {
    get active() {
      return read(ACTIVE);
    },
    get isOlder() {
      return read(OLDER) !== 0;
    },
    activate(kernelEpoch, { isOlder }) {
      setAbsent();
      // Only where one recorded until now can both be under way.
      const isInPlace = read(ACTIVE) !== 0;
      write(ACTIVATED_TS, isInPlace ? boottimeNs() : 0n);
      write(OLDER, isOlder ? 1n : 0n);
      beat();
      write(ACTIVE, BigInt(kernelEpoch));
    },
    goOn() {
      // First: by a shorter time the state would give up before it sees that an agent is there.
      beat();
      setAbsent();
    },
    deactivate: () => write(ACTIVE, 0n),
    beat,
  };
}
